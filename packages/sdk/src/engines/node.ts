// The engine for Node: the native one if it starts, otherwise the one in Rust alone, and otherwise WebAssembly. STEPWELL_ENGINE
// overrides this.

import type { Binding, EngineInfo, EngineName } from "../binding.js";
import { hasCode, StepwellError } from "../errors.js";
import { brief } from "../values/describe.js";
import { requireNative } from "./native-package.js";
import { asStartError } from "./start-error.js";

interface Opened {
  readonly engine: EngineName;
  readonly binding: Binding;
  readonly info: EngineInfo;
}

/** The calls of an addon. */
type AddonBinding = Omit<Binding, "reset" | "ready">;

function native(): Opened {
  const { open, libtorch } = requireNative("@stepwell/native") as {
    open(): AddonBinding;
    readonly libtorch: NonNullable<EngineInfo["libtorch"]>;
  };
  return { engine: "native", binding: started(open()), info: { engine: "native", libtorch } };
}

function rust(): Opened {
  const { open } = requireNative("@stepwell/native/rust") as { open(): AddonBinding };
  return { engine: "rust", binding: started(open()), info: { engine: "rust" } };
}

/** A binding of an engine that runs as soon as its addon is loaded. */
function started(calls: AddonBinding): Binding {
  return {
    // Also copies `owner`, which ends the session when it is garbage-collected.
    ...calls,
    reset: () => {
      calls.call("reset", []);
      return false;
    },
    ready: async () => {},
  };
}

function wasm(): Opened {
  const { open } = require("@stepwell/wasm") as typeof import("@stepwell/wasm");
  return { engine: "wasm", binding: open() as Binding, info: { engine: "wasm" } };
}

/** The best engine that needs no libtorch, after the native engine has failed. */
function another(reason: StepwellError): Opened {
  try {
    const opened = rust();
    warn(reason, "rust", "So Stepwell's engine in Rust runs, which is slower and has no GPU.");
    return { ...opened, info: { ...opened.info, reason } };
  } catch {
    // The addons come with one package: what hinders this one, the reason says.
    return wasmInstead(reason);
  }
}

/** The WebAssembly engine, after both addons have failed. */
function wasmInstead(reason: StepwellError): Opened {
  let opened: Opened;
  try {
    opened = wasm();
  } catch (error) {
    throw neither(reason, asStartError(error));
  }
  warn(reason, "wasm", "So the WebAssembly engine runs, which is slower and has no GPU.");
  return { ...opened, binding: explained(opened.binding, reason), info: { ...opened.info, reason } };
}

/** The mark of a thread whose engine has been replaced. Worker threads that it starts afterwards have it, too. */
const replaced = "stepwell: the native engine was replaced";

/** Warns once: worker threads that start after the warning do not repeat it. */
function warn(reason: StepwellError, engine: EngineName, text: string): void {
  const { getEnvironmentData, setEnvironmentData } = process.getBuiltinModule("node:worker_threads");
  if (getEnvironmentData(replaced) === reason.code) return;
  setEnvironmentData(replaced, reason.code);
  process.emitWarning(`${reason.message} ${text} Set STEPWELL_ENGINE=${engine} to silence this warning.`, {
    type: "StepwellWarning",
    code: reason.code,
  });
}

/** A binding whose engine starts with the first call. If it cannot, the error says why the native engine does not run either. */
function explained(binding: Binding, reason: StepwellError): Binding {
  const explain = (error: unknown) =>
    hasCode(error, "ERR_ENGINE") ? neither(reason, asStartError(error)) : (error as Error);
  const attempt = <T>(call: () => T): T => {
    try {
      return call();
    } catch (error) {
      throw explain(error);
    }
  };
  return {
    call: (command, args) => attempt(() => binding.call(command, args)),
    callHosted: (...args) => attempt(() => binding.callHosted(...args)),
    operationIndex: (name) => attempt(() => binding.operationIndex(name)),
    compactMemory: () => binding.compactMemory(),
    callCompact: (index, length) => binding.callCompact(index, length),
    release: (ids) => binding.release(ids),
    bytes: () => binding.bytes(),
    stepWithClosure: (...args) => attempt(() => binding.stepWithClosure(...args)),
    reset: () => attempt(() => binding.reset()),
    ready: (options) => binding.ready(options).catch((error: unknown) => Promise.reject(explain(error))),
  };
}

function neither(native: StepwellError, wasm: StepwellError): StepwellError {
  return new StepwellError("ERR_ENGINE", `neither engine can be started. ${native.message} And: ${wasm.message}`, {
    cause: new AggregateError([native, wasm], "the errors of the engines"),
  });
}

/** The engines by name, best first. */
const engines: Readonly<Record<EngineName, () => Opened>> = { native, rust, wasm };

function choose(wanted: string | undefined): Opened {
  if (wanted) {
    if (Object.hasOwn(engines, wanted)) return engines[wanted as EngineName]();
    throw new StepwellError("ERR_ARGUMENT", `STEPWELL_ENGINE: expected native, rust or wasm, given "${brief(wanted)}"`);
  }
  try {
    return native();
  } catch (error) {
    return another(asStartError(error));
  }
}

/** Opens the engine, which has objects of its own. Fails with a `StepwellError`. */
export function openEngine(): Opened {
  try {
    return choose(process.env.STEPWELL_ENGINE);
  } catch (error) {
    throw asStartError(error);
  }
}
