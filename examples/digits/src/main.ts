import { module, opt } from "@stepwell/sdk";

console.log(opt(opt("sgd", module(["linear", 3, 2]))));
