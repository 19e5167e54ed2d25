import { StepwellError } from "../errors.js";
import { containerKinds } from "../generated/layers.js";
import type { CheckedSpecifications, Container, ContainerSpecification } from "../types/layers.js";
import { describeValue } from "../values/describe.js";
import { isList } from "../values/plain-data.js";

/**
 * The specification of a container. The first argument is its kind, or a list of the kind and a name. The others are its modules:
 * specifications, or modules that exist, which the container then shares.
 *
 * - `"sequential"` and `"seqnest"` run modules one after the other.
 * - `"residual"` adds to the output of a sequence its input, or the output of a second sequence, and may end with another module.
 * - `"seqjoin"` joins the outputs of one or two sequences by a module, such as `"cat"`.
 * - `"fork"` has the outputs of two modules for one input.
 * - `"seqlist"` and `"seqdict"` run sequences one after the other, each with the further inputs of the container.
 * - `"recur"` runs a recurrent layer with sequences before and after it, and cuts off its states from the graph.
 * - `"nbeats"` runs blocks of N-BEATS, and `"transform"` one sequence in training and another in use.
 * - `"moduledict"` and `"modulelist"` hold modules, and do not run.
 *
 * @example
 * ```ts
 * const m = module(seq("sequential", ["linear", "a", 784, 128], "relu", ["linear", "b", 128, 10]));
 * const r = module(seq("residual", seq("sequential", ["linear", 8, 8], "tanh"), "relu")); // relu(tanh(linear(x)) + x)
 * ```
 */
export function seq<const Children extends readonly unknown[]>(
  container: Container,
  ...children: CheckedSpecifications<Children>
): ContainerSpecification;
export function seq(container: unknown, ...children: readonly unknown[]): ContainerSpecification {
  const [kind, name] = isList(container) ? [container[0], container[1]] : [container, ""];
  const isWhole = !isList(container) || container.length === 2;
  if (!(containerKinds as readonly unknown[]).includes(kind) || typeof name !== "string" || !isWhole) {
    const given = container === undefined ? "nothing" : describeValue(container);
    const expected = 'expected a container such as "sequential", or ["sequential", name], as argument 1';
    throw new StepwellError("ERR_ARGUMENT", `seq: ${expected}, given ${given}`);
  }
  // The contents are checked when `module` makes the modules.
  return { container, children } as ContainerSpecification;
}
