// A training that frees nothing and never waits: 2,000 steps of a transformer of 2 layers, 32 wide. Prints the resident memory in
// MiB after each 100 steps.

import { gpt } from "@stepwell/example-gpt/gpt";
import { pieces, randomOf } from "@stepwell/example-gpt/text";
import { sizes } from "@stepwell/example-gpt/training";
import * as k from "@stepwell/sdk";

const size = { ...sizes, width: 32, layers: 2, context: 16 };
const model = gpt(k, size);
const optimizer = k.opt("adamw", model.module, 0.001);
const random = randomOf(1);
for (let step = 1; step <= 2000; step++) {
  const { tokens, targets } = pieces(8, size.context, random);
  const loss = model.loss(tokens, targets);
  k.backward(loss);
  k.step(optimizer, { zerograd: true });
  if (step % 100 === 0) console.log(process.memoryUsage.rss() / 2 ** 20);
}
