// Every operation by name.

import { fluentOperations } from "./fluent.js";
import { gradientOperations } from "./gradients.js";
import { mathematicsOperations } from "./mathematics.js";
import { misuseOperations } from "./misuse.js";
import { modelOperations } from "./models.js";
import { moduleOperations } from "./modules.js";
import { objectOperations } from "./objects.js";
import type { Operation, Operations } from "./operation.js";
import { optimizerOperations } from "./optimizers.js";
import { scopeOperations } from "./scopes.js";
import { tensorOperations } from "./tensors.js";

/** One more operation, for a closure. */
const another: Operation = (world) => operations[world.random.pick(names)]?.(world);

const tables = {
  ...{ tensors: tensorOperations, modules: moduleOperations, gradients: gradientOperations, models: modelOperations },
  ...{ optimizers: optimizerOperations(another), objects: objectOperations, misuse: misuseOperations(another) },
  fluent: fluentOperations(another),
  ...{ mathematics: mathematicsOperations, scopes: scopeOperations },
};

/** Operations under the name of their table and their own. */
export const operations: Operations = Object.fromEntries(
  Object.entries(tables).flatMap(([table, rows]) =>
    Object.entries(rows).map(([name, operation]) => [`${table}: ${name}`, operation]),
  ),
);

export const names: readonly string[] = Object.keys(operations);
