// `node examples/cnn/dist/main.js [epochs]`: trains, and prints the accuracy on the test.

import { readDigits, splitDigits } from "@stepwell/example-digits/digits";
import { elements, engine, ready } from "@stepwell/sdk";
import { plan, train } from "./training.js";

await ready();
const epochs = Number(process.argv[2] ?? plan.epochs);
const start = performance.now();
const net = train(splitDigits(readDigits()), { ...plan, epochs }, (epoch, loss, accuracy) => {
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(
    `epoch ${epoch}: loss ${loss.toFixed(4)}, ${(100 * accuracy).toFixed(2)} % of the test, after ${seconds} s`,
  );
});
console.log(`engine ${engine}, ${elements(net)} parameters`);
