// The model that both apps share: is a leaf small or large.

import { Module, seq } from "@stepwell/sdk";

/** The classes, in the order of the outputs. */
export const kinds = ["small", "large"] as const;

/** Length and width of a leaf in centimetres. */
export type Leaf = readonly [length: number, width: number];

/** A classifier with first values: `[n, 2]` to `[n, 2]`. */
export function makeClassifier(): Module {
  return Module.of(seq("sequential", ["linear", "hidden", 2, 16], "tanh", ["linear", "output", 16, kinds.length]));
}

/** The kind of a leaf. */
export function classify(classifier: Module, leaf: Leaf): (typeof kinds)[number] {
  const outputs = classifier.evaluate([leaf]);
  const best = outputs.argmax(1);
  const [index = 0] = best.values() as number[];
  outputs.dispose();
  best.dispose();
  return kinds[index] ?? kinds[0];
}
