import { StepwellError } from "../errors.js";
import type { CheckedSpecifications, SequentialContainer, SequentialSpecification } from "../types/layers.js";
import { describeValue } from "../values/describe.js";
import { isRevoked } from "../values/plain-data.js";

/**
 * The specification of modules that run one after the other. The first argument is the container: `"sequential"`, or
 * that and a name.
 *
 * @example
 * ```ts
 * const m = module(seq("sequential", ["linear", "a", 784, 128], "relu", ["linear", "b", 128, 10]));
 * ```
 */
export function seq<const Children extends readonly unknown[]>(
  container: SequentialContainer,
  ...children: CheckedSpecifications<Children>
): SequentialSpecification;
export function seq(container: unknown, ...children: readonly unknown[]): SequentialSpecification {
  const [kind, name, ...more] = !isRevoked(container) && Array.isArray(container) ? container : [container, ""];
  if (kind !== "sequential" || typeof name !== "string" || more.length > 0) {
    const given = container === undefined ? "nothing" : describeValue(container);
    const expected = 'expected "sequential" or ["sequential", name] as argument 1';
    throw new StepwellError("ERR_ARGUMENT", `seq: ${expected}, given ${given}`);
  }
  // The contents are checked when `module` makes the modules.
  return { container, children } as SequentialSpecification;
}
