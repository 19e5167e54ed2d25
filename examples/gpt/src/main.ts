// `node examples/gpt/dist/main.js [lamb|adamw] [native|wasm] [steps]`: trains, and prints a sample of text.

import type * as sdk from "@stepwell/sdk";
import { decode, encode, randomOf } from "./text.js";
import { train } from "./training.js";

const [optimizer = "lamb", engine = "native", steps = "2000"] = process.argv.slice(2);
if (optimizer !== "lamb" && optimizer !== "adamw") throw new Error(`expected lamb or adamw, given ${optimizer}`);
const entry = engine === "wasm" ? "@stepwell/sdk/wasm" : "@stepwell/sdk";
const k = (await import(entry)) as typeof sdk;
await k.ready();

const start = performance.now();
const plan = { optimizer, steps: Number(steps), batch: 32, seed: 1, every: 100 } as const;
const model = train(k, plan, (step, training, test) => {
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`step ${step}: loss ${training.toFixed(3)}, of the test ${test.toFixed(3)}, after ${seconds} s`);
});
console.log(decode(model.sample(encode("MENENIUS:\n"), 400, 0.8, randomOf(7))));
