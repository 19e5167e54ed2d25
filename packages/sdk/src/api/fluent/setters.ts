// The methods of builders that set options.

import { StepwellError } from "../../errors.js";
import type { OptimizerName } from "../../types/arguments.js";
import { refuseSurplus } from "../../values/refuse.js";
import { free } from "../functions/objects.js";
import { opt } from "../functions/optimizers.js";

/** Whether an optimizer has an option of a name. */
export type OptionTest = (key: string) => boolean;

/** Asks the engine, which has every name of every option, once for each key. Throws if it has no such optimizer. */
export function optionTest(name: OptimizerName): OptionTest {
  free(opt(name));
  const known = new Map<string, boolean>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const answer = accepts(name, key);
    known.set(key, answer);
    return answer;
  };
}

function accepts(name: OptimizerName, key: string): boolean {
  try {
    // An empty list is not a value of any option, so no optimizer is made.
    free(opt(name, { [key]: [] } as never));
    return true;
  } catch (error) {
    if (!(error instanceof StepwellError)) throw error;
    return error.code !== "ERR_OPTION_UNKNOWN";
  }
}

/** An object with some methods, and one more for each option, which calls `next` with the option added. */
export function withSetters<Options extends object>(
  methods: object,
  isOption: OptionTest,
  options: Options,
  next: (options: Options) => unknown,
): object {
  const settersOf =
    (key: string) =>
    (value: unknown = true, ...surplus: readonly unknown[]) => {
      refuseSurplus(key, surplus);
      return next({ ...options, [key]: value });
    };
  return new Proxy(Object.freeze(methods), {
    get: (target, key, receiver) =>
      typeof key === "string" && !(key in target) && isOption(key)
        ? settersOf(key)
        : Reflect.get(target, key, receiver),
    has: (target, key) => key in target || (typeof key === "string" && isOption(key)),
  });
}
