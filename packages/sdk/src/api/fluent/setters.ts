import type { Api } from "../api.js";
import type { OptimizerName } from "../arguments.js";
import { StepwellError } from "../errors.js";
import { refuseSurplus } from "./refuse.js";

/** Whether an optimizer has an option of a name. */
export type OptionTest = (key: string) => boolean;

/** Asks the engine, which knows every name that an option has, once for each. Throws if it has no such optimizer. */
export function optionTest(api: Api, name: OptimizerName): OptionTest {
  api.free(api.opt(name));
  const known = new Map<string, boolean>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const answer = accepts(api, name, key);
    known.set(key, answer);
    return answer;
  };
}

function accepts(api: Api, name: OptimizerName, key: string): boolean {
  try {
    // No option is a list of nothing, so nothing is made of it.
    api.free(api.opt(name, { [key]: [] } as never));
    return true;
  } catch (error) {
    if (!(error instanceof StepwellError)) throw error;
    return error.code !== "ERR_OPTION_UNKNOWN";
  }
}

/** An object with some methods and one more for each option, which sets it and goes on with all. */
export function withSetters<Options extends object>(
  methods: object,
  isOption: OptionTest,
  options: Options,
  goOn: (options: Options) => unknown,
): object {
  const settersOf =
    (key: string) =>
    (value: unknown = true, ...surplus: readonly unknown[]) => {
      refuseSurplus(key, surplus);
      return goOn({ ...options, [key]: value });
    };
  return new Proxy(Object.freeze(methods), {
    get: (target, key, receiver) =>
      typeof key === "string" && !(key in target) && isOption(key)
        ? settersOf(key)
        : Reflect.get(target, key, receiver),
    has: (target, key) => key in target || (typeof key === "string" && isOption(key)),
  });
}
