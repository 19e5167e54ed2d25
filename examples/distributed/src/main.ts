// `node examples/distributed/dist/main.js`: trains on one process. `stepwell launch -n 4` runs the same file on four.

import { parseArgs } from "node:util";
import { classes, type Digits, pick, pixels, readDigits, splitDigits } from "@stepwell/example-digits/digits";
import { Model, Module, opt, seed, seq, setting, tensor } from "@stepwell/sdk";

const { values } = parseArgs({
  options: {
    epochs: { type: "string", default: "5" },
    digits: { type: "string", default: "8000" },
    checkpoint: { type: "string" },
  },
});

const { training, test } = splitDigits(readDigits());
const first = (digits: Digits, count: number) =>
  pick(
    digits,
    new Float64Array(count).map((_, n) => n),
  );
const dataOf = ({ images, labels }: Digits) => ({
  inputs: tensor(images, { shape: [labels.length, pixels] }),
  targets: labels,
});

// The processes share the cores of the machine.
setting("threads", 1);
seed(1);
const net = Module.of(seq("sequential", ["linear", pixels, 128], "relu", ["drop", 0.1], ["linear", 128, classes]));
const model = new Model(net, "ce", opt("lamb", net, { lr: 0.02 }));

// Rank 0 alone has the events of steps and epochs, and writes the checkpoint.
for await (const event of model.fit(dataOf(first(training, Number(values.digits))), {
  distributed: true,
  epochs: Number(values.epochs),
  batchsize: 250,
  shuffle: true,
  validation: dataOf(test),
  ...(values.checkpoint && { checkpoint: { path: values.checkpoint, steps: 4, resume: true } }),
})) {
  if (event.type !== "epoch") continue;
  const accuracy = event.validation?.accuracy?.toFixed(1);
  console.log(`epoch ${event.epoch}: loss ${event.loss.toFixed(4)}, ${accuracy} % of the test`);
}
