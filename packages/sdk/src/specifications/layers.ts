// Layers as functions, which make plain data.

import { StepwellError } from "../errors.js";
import { type LayerKind, layerKinds } from "../generated/layers.js";
import type { LayerFunctions, ModuleSpecification } from "../types/layers.js";
import { describeValue } from "../values/describe.js";
import { isDictionary, isList } from "../values/plain-data.js";
import { refuseSurplus } from "../values/refuse.js";

/** Functions that make layers, and one for layers that a program does not state. */
export interface Layers extends LayerFunctions {
  /**
   * Takes a specification whose type a program does not know, such as parsed JSON: a word, a list or a dictionary. `module` checks its
   * contents.
   *
   * @example
   * ```ts
   * const m = module(layers.fromJSON(JSON.parse(text)));
   * ```
   */
  fromJSON(json: unknown): ModuleSpecification;
}

const functions = Object.fromEntries(
  layerKinds.map((kind: LayerKind) => [kind, (...options: readonly unknown[]) => [kind, ...options]]),
) as unknown as LayerFunctions;

/**
 * A function for each kind of layer. It makes plain data, of which `module` makes a module and `seq` a specification of several.
 *
 * @example
 * ```ts
 * const m = module(seq("sequential", layers.linear("body", 784, 128), layers.relu(), layers.linear("head", 128, 10)));
 * ```
 */
export const layers: Layers = /* @__PURE__ */ Object.freeze({
  ...functions,
  fromJSON(json: unknown, ...surplus: readonly unknown[]): ModuleSpecification {
    refuseSurplus("layers.fromJSON", surplus);
    const isData = typeof json === "object" && json !== null && (isList(json) || isDictionary(json));
    if (typeof json !== "string" && !isData) {
      const given = json === undefined ? "nothing" : describeValue(json);
      throw new StepwellError("ERR_ARGUMENT", `layers.fromJSON: expected a specification of a module, given ${given}`);
    }
    return json as ModuleSpecification;
  },
});
