import type { Api } from "./api.js";
import { nested } from "./arrays.js";
import type { Binding, TypedTensor } from "./binding.js";
import { lossOf } from "./closure.js";
import { refuse } from "./fluent/refuse.js";
import { type AnyHandle, Engine, type ModelHandle, type ModuleHandle, type OptimizerHandle } from "./handle.js";
import { withJson } from "./json.js";

/** The functions of the k-api on an engine. They hold no logic of their own: the engine's session checks and does. */
export function connect(binding: Binding): Api {
  const engine = new Engine(binding);
  const verb =
    (name: string) =>
    (...args: readonly unknown[]): never =>
      engine.call(name, ...args);

  /** A verb that tells what a program may want to keep. */
  const telling =
    (name: string) =>
    (...args: readonly unknown[]): never =>
      withJson(engine.call(name, ...args));

  const data = telling("data") as (...args: readonly unknown[]) => TypedTensor;
  const numbers =
    (name: string) =>
    (...args: readonly unknown[]): never => {
      const received: unknown = engine.call(name, ...args);
      return (isTyped(received) ? nested(received, name) : received) as never;
    };

  const free = (...handles: readonly AnyHandle[]) => engine.free(...handles);
  /** How a closure's loss is read and freed. */
  const loss = { data: verb("data"), free };

  return {
    tensor: numbers("tensor"),
    data,
    full: verb("full"),
    vector: verb("vector"),
    dict: verb("dict"),
    copyto: verb("copyto"),
    to: verb("to"),
    dtype: verb("dtype"),
    device: verb("device"),
    module: verb("module"),
    forward: verb("forward"),
    evaluate: verb("evaluate"),
    names: verb("names"),
    childnames: verb("childnames"),
    parmnames: verb("parmnames"),
    child: verb("child"),
    parm: verb("parm"),
    parms: verb("parms"),
    save: verb("save"),
    load: verb("load"),
    ce: verb("ce"),
    nll: verb("nll"),
    mse: verb("mse"),
    l1: verb("l1"),
    smoothl1: verb("smoothl1"),
    bce: verb("bce"),
    bcewithlogits: verb("bcewithlogits"),
    loss: verb("loss"),
    model: verb("model"),
    train: verb("train"),
    test: verb("test"),
    run: verb("run"),
    batch: verb("batch"),
    testrun: verb("testrun"),
    backward: verb("backward"),
    grad: numbers("grad"),
    gradflag: verb("gradflag"),
    zerograd: verb("zerograd"),
    nograd: verb("nograd"),
    clip: verb("clip"),
    clipv: verb("clipv"),
    opt: telling("opt"),
    lossscale: telling("lossscale"),
    skipped: verb("skipped"),
    average: verb("average"),
    state: telling("state"),
    step: (optimizer: OptimizerHandle | ModelHandle | ModuleHandle, ...rest: readonly unknown[]) => {
      const [closure, options, ...others] = rest;
      if (typeof closure !== "function") return engine.call<never>("step", optimizer, ...rest);
      if (others.length > 0) refuse("step", "options as the last argument after a closure", others[0]);
      return engine.stepWithClosure(optimizer, () => lossOf(loss, closure()), options) as never;
    },
    lr: verb("lr"),
    schedule: telling("schedule"),
    advance: verb("advance"),
    help: verb("help"),
    setting: verb("setting"),
    use: (...args) => engine.use(...args),
    take: (...args: readonly unknown[]) => {
      const value = nested(data(...args), "take");
      engine.free(args[0] as AnyHandle);
      return value;
    },
    free,
    classof: verb("class"),
    objtype: verb("objtype"),
    size: verb("size"),
    tensorcount: verb("tensorcount"),
    elements: verb("elements"),
    bytes: verb("bytes"),
    handlecount: verb("handlecount"),
    reset: (...rest: readonly unknown[]) => engine.reset(...rest),
    ready: (...args: Parameters<typeof engine.ready>) => engine.ready(...args),
    seed: verb("seed"),
    randperm: (...args: readonly unknown[]) =>
      Float64Array.from(engine.call<TypedTensor>("randperm", ...args).data, Number),
  };
}

function isTyped(received: unknown): received is TypedTensor {
  return typeof received === "object" && received !== null && Object.hasOwn(received, "data");
}
