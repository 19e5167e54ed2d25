// The methods of builders that set options.

import { StepwellError } from "../../errors.js";
import type { OptimizerName } from "../../generated/options.js";
import { refuse, refuseSurplus } from "../../values/refuse.js";
import { free } from "../functions/objects.js";
import { opt } from "../functions/optimizers.js";

/** The kind of option of a name: a flag may be set without a value. Undefined if the optimizer has no such option. */
export type OptionTest = (key: string) => "flag" | "value" | undefined;

/** Asks the engine, which has every name of every option, once for each key. Throws if it has no such optimizer. */
export function optionTest(name: OptimizerName): OptionTest {
  free(opt(name));
  const known = new Map<string, ReturnType<OptionTest>>();
  return (key) => {
    if (!known.has(key)) known.set(key, kindOf(name, key));
    return known.get(key);
  };
}

function kindOf(name: OptimizerName, key: string): ReturnType<OptionTest> {
  try {
    free(opt(name, { [key]: true } as never));
    return "flag";
  } catch (error) {
    if (!(error instanceof StepwellError)) throw error;
    if (error.code === "ERR_OPTION_UNKNOWN") return undefined;
    return error.code === "ERR_OPTION_TYPE" ? "value" : "flag";
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
    (value: unknown, ...surplus: readonly unknown[]) => {
      refuseSurplus(key, surplus);
      if (value === undefined && isOption(key) === "value") refuse(key, "a value as argument 1", value);
      return next({ ...options, [key]: value === undefined ? true : value });
    };
  return new Proxy(Object.freeze(methods), {
    get: (target, key, receiver) =>
      typeof key === "string" && !(key in target) && isOption(key) !== undefined
        ? settersOf(key)
        : Reflect.get(target, key, receiver),
    has: (target, key) => key in target || (typeof key === "string" && isOption(key) !== undefined),
  });
}
