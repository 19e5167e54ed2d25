// `node examples/distributed/dist/gpt.js [steps]`: the transformer of examples/gpt in a loop of its own, on one process. `stepwell launch -n 4`
// runs the same file on four.

import { gpt } from "@stepwell/example-gpt/gpt";
import { pieces, randomOf } from "@stepwell/example-gpt/text";
import { sizes } from "@stepwell/example-gpt/training";
import * as k from "@stepwell/sdk";

const steps = Number(process.argv[2] ?? 100);
/** Pieces of text in a step of all processes. */
const batch = 32;

const { RANK } = process.env;
const { rank, size } = RANK === undefined ? { rank: 0, size: 1 } : await k.initProcessGroup();
// The processes share the cores of the machine.
k.setting("threads", 1);
k.seed(1);
const model = gpt(k, sizes);
const optimizer = k.opt("lamb", model.module, 0.008, { decay: 0.1 });
if (size > 1) await k.distributed(optimizer);

// Each process draws the same pieces, and computes its part of them.
const random = randomOf(1);
const partOf = <Piece>(rows: readonly Piece[]) => rows.slice((batch * rank) / size, (batch * (rank + 1)) / size);
for (let step = 1; step <= steps; step++) {
  const { tokens, targets } = pieces(batch, sizes.context, random);
  const loss = k.scoped(() => {
    const loss = model.loss(partOf(tokens), partOf(targets));
    k.backward(loss);
    return k.tensor(loss) as number;
  });
  // Takes the mean of the gradients of all processes.
  await k.stepAsync(optimizer, { zerograd: true });
  if (step % 10 !== 0 && step !== steps) continue;
  const mean = k.tensor([loss], "double");
  if (size > 1) await k.allReduce(mean, "mean");
  if (rank === 0) console.log(`step ${step}: loss ${(k.tensor(mean) as number[])[0]?.toFixed(4)}`);
  k.free(mean);
}
