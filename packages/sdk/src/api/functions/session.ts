// Functions of the session: help, settings, random numbers, start and reset.

import type { EngineOptions, TypedTensor } from "../../binding.js";
import { moduleTexts, operationTexts, optimizerTexts, presetTexts, scheduleTexts } from "../../generated/help.js";
import type { LayerKind } from "../../generated/layers.js";
import type { OptimizerName } from "../../generated/options.js";
import { presets } from "../../generated/presets.js";
import type {
  ListOptionRow,
  ModuleHelp,
  OperationHelp,
  OptimizerHelp,
  OptionRow,
  PresetHelp,
  ScheduleHelp,
} from "../../types/results.js";
import { type GeneratorState, generatorNumbers, generatorState } from "../../values/generator.js";
import { refuseSurplus } from "../../values/refuse.js";
import { client } from "../client.js";

/** Every optimizer with its options and defaults. */
export function help(topic?: "optimizer"): readonly OptimizerHelp[];
/** Every module with its options and defaults. */
export function help(topic: "module"): readonly ModuleHelp[];
/** Every schedule with its options and defaults. */
export function help(topic: "schedule"): readonly ScheduleHelp[];
/** Every operation on tensors with the names of its arguments. */
export function help(topic: "tensor"): readonly OperationHelp[];
/** Options that stand for a published variant of an optimizer; `presets` has them as values. */
export function help(topic: "preset"): readonly PresetHelp[];
/** The options and defaults of an optimizer or a layer; with `all` also those that the k-api does not know. */
export function help<Name extends OptimizerName | LayerKind>(
  name: Name,
  all?: boolean,
): Name extends OptimizerName ? OptionRow : ListOptionRow;
export function help(...args: readonly unknown[]): unknown {
  const found = client.call("help", args);
  if (!Array.isArray(found)) return found;
  const options = found as readonly OptionRow[];
  switch (args[0]) {
    case "module":
      return moduleTexts.map(([module, about], row) => ({ module, about, options: options[row] ?? {} }));
    case "schedule":
      return scheduleTexts.map(([schedule, pytorch, about], row) => ({
        schedule,
        pytorch,
        about,
        options: options[row],
      }));
    case "tensor":
      return operationTexts.map(([operation, family, pytorch, names, outputs]) => {
        return { operation, family, pytorch, arguments: names.split(" ").filter(Boolean), outputs };
      });
    case "preset":
      return presetTexts.map(([preset, optimizer, about, source]) => {
        return { preset, optimizer, about, source, options: { ...presets[preset] } };
      });
    default:
      return optimizerTexts.map(([optimizer, pytorch, about], row) => {
        return { optimizer, pytorch, options: options[row], about };
      });
  }
}

/** Whether definitions have all options, or only those that differ from the defaults. Default true. */
export function setting(name: "alloptions"): boolean;
/** Sets whether definitions have all options. An argument of `opt` or `state` takes precedence. */
export function setting(name: "alloptions", value: boolean): void;
/**
 * How many threads an operation or a step uses at most, in the whole process, also in workers that start later. The default is one
 * for each core, or `OMP_NUM_THREADS`. Results of steps do not depend on it; results of operations may, in their last digits.
 *
 * Each thread of JavaScript computes with so many at a time. A service that answers on its main thread while a worker trains calls
 * `setting("threads", cores - 1)` on either of them, and keeps a core.
 */
export function setting(name: "threads"): number;
/**
 * Sets the number of threads for operations and steps that begin later: a whole number from 1 to 1024. No more are used than the
 * process has cores. The WebAssembly engine has one thread.
 */
export function setting(name: "threads", value: number): void;
export function setting(...args: readonly unknown[]): unknown {
  return client.call("setting", args);
}

/** How many objects live in this session. */
export function handlecount(): number;
export function handlecount(...args: readonly unknown[]): unknown {
  return client.call("handlecount", args);
}

/** Frees every object and restores the initial state of the engine, also of one that has stopped (`ERR_ENGINE_POISONED`). */
export function reset(): void;
export function reset(...surplus: readonly unknown[]): void {
  client.reset(surplus);
}

/**
 * Resolves when the engine has started. In a page a program awaits it before its first call: it fetches the module. Elsewhere the
 * first call starts the engine too, as in a page with `@stepwell/sdk/inline`, and `ready` spares the thread the time of compiling.
 *
 * @param options - for the WebAssembly engine, before its first call; other engines accept them without using them
 */
export function ready(options?: EngineOptions): Promise<void>;
export function ready(...args: readonly unknown[]): Promise<void> {
  return client.ready(...args);
}

/** Restarts the random numbers of initial weights, dropout and permutations. One seed gives one sequence. */
export function seed(seed: number): void;
export function seed(...args: readonly unknown[]): unknown {
  return client.call("seed", args);
}

/** The state of the generator of random numbers. It goes through JSON and `structuredClone`. `ERR_BUSY` while an asynchronous call has the generator. */
export function generator(): GeneratorState;
/**
 * Sets the generator of random numbers to a state. Initial weights, dropout and permutations go on from there. A file of `save` has
 * the state too.
 */
export function generator(state: GeneratorState): void;
export function generator(...args: readonly unknown[]): GeneratorState | undefined {
  const [state, ...surplus] = args;
  refuseSurplus("generator", surplus);
  if (state !== undefined) {
    client.call("generator", [generatorNumbers("generator", state)]);
    return undefined;
  }
  return generatorState((client.call("generator", []) as TypedTensor<"double">).data);
}

/** The numbers from 0 to n - 1 in random order. */
export function randperm(n: number): Float64Array;
export function randperm(...args: readonly unknown[]): Float64Array {
  const { data } = client.call("randperm", args) as TypedTensor;
  // Not `Float64Array.from`, which would make a list of all numbers first.
  const numbers = new Float64Array(data.length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = Number(data[i]);
  return numbers;
}
