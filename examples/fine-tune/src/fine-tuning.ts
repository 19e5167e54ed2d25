// Two phases: the head alone, and then all layers, each group at a rate of its own.

import {
  backward,
  ce,
  freeze,
  type Module,
  type Optimizer,
  optimizer,
  schedules,
  scoped,
  unfreeze,
} from "@stepwell/sdk";
import type { Digits } from "./digits.js";
import { imagesOf } from "./net.js";

/** Loads the tensors of the file that fit. Returns the names of the others, which keep their first values. */
export function loadPretrained(net: Module, path: string): readonly string[] {
  const { missing, unexpected, mismatched } = net.load(path, { strict: false });
  return [...missing, ...unexpected, ...mismatched.map(({ name }) => name)];
}

/** The share of digits that a net classifies rightly. */
export function accuracy(net: Module, digits: Digits): number {
  const found = scoped(() => net.evaluate(imagesOf(digits)).argmax(1).values() as number[]);
  return found.filter((label, n) => label === digits.labels[n]).length / found.length;
}

/** Trains the parameters that are not frozen, on all digits in each step. */
function train(net: Module, o: Optimizer, digits: Digits, steps: number): void {
  for (let n = 0; n < steps; n++) {
    scoped(() => {
      const loss = ce(net.forward(imagesOf(digits)), digits.labels);
      backward(loss);
      o.step({ zerograd: true });
    });
    o.advance();
  }
}

/** Fine-tunes a pretrained net, and calls `report` after each phase. */
export function fineTune(net: Module, digits: Digits, report: (phase: string) => void = () => {}): void {
  freeze(net, "body");
  const head = optimizer("adamw")
    .lr(0.01)
    .schedule(schedules.cosine({ steps: 60 }))
    .build(net.child("head"));
  train(net, head, digits, 60);
  head.dispose();
  report("head");

  unfreeze(net, ["body.conv2", "body.fc"]);
  const steps = 60;
  // The body is good already, so that its rate is a fifth. The first layer stays frozen.
  const all = optimizer("adamw")
    .lr(0.005)
    .group(/^body\.(conv2|fc)\./, (group) => group.lr(0.001))
    .noDecay(/bias/)
    // From a tenth of the rates up within ten steps, so that the new averages of Adam do not throw the weights off.
    .schedule(schedules.warmup({ steps: 10, start: 0.1 }, schedules.cosine({ steps: steps - 10 })))
    .build(net);
  train(net, all, digits, steps);
  all.dispose();
  report("all");
}

/** Trains a net from its first values, as long as {@link fineTune} does. */
export function trainFromScratch(net: Module, digits: Digits): void {
  const o = optimizer("adamw")
    .lr(0.005)
    .schedule(schedules.warmup({ steps: 10, start: 0.1 }, schedules.cosine({ steps: 110 })))
    .build(net);
  train(net, o, digits, 120);
  o.dispose();
}
