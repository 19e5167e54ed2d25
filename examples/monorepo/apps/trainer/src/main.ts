// Trains the model, and saves it as a file for the server.

import { kinds, type Leaf, makeClassifier } from "@monorepo-example/model";
import { engine, Model, optimizer, seed } from "@stepwell/sdk";

seed(1);
const classifier = makeClassifier();
const model = new Model(classifier, "ce", optimizer("adamw").lr(0.02).build(classifier));

/** Leaves of which the larger ones are longer and wider. */
const leaves = Array.from({ length: 200 }, (_, n): Leaf => [1 + (n % 20) / 4, 0.5 + Math.floor(n / 20) / 5]);
const labels = leaves.map(([length, width]) => (length * width < 4 ? 0 : 1));

const { epochs } = await model.fit({ inputs: leaves, targets: labels }, { epochs: 60, shuffle: true });
console.log(`${kinds.join(" or ")}: ${Math.round(epochs.at(-1)?.accuracy ?? 0)} % right on ${engine}`);
classifier.save("model.safetensors");
