import type { ModuleSpecification, SequentialSpecification } from "../types/arguments.js";

/**
 * The specification of modules that run one after the other. The first argument is the container: `"sequential"`, or
 * that and a name.
 *
 * @example
 * ```ts
 * const m = module(seq("sequential", ["linear", "a", 784, 128], "relu", ["linear", "b", 128, 10]));
 * ```
 */
export function seq(
  container: SequentialSpecification["container"],
  ...children: readonly ModuleSpecification[]
): SequentialSpecification {
  return { container, children };
}
