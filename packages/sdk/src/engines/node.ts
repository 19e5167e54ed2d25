// The engine for Node: the native one if it starts, and otherwise WebAssembly. STEPWELL_ENGINE overrides this.

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

function native(): Opened {
  const { open, libtorch } = requireNative() as {
    open(): Omit<Binding, "reset" | "ready">;
    readonly libtorch: NonNullable<EngineInfo["libtorch"]>;
  };
  const calls = open();
  const binding: Binding = {
    // Also copies `owner`, which ends the session when it is garbage-collected.
    ...calls,
    reset: () => {
      calls.call("reset", []);
      return false;
    },
    ready: async () => {},
  };
  return { engine: "native", binding, info: { engine: "native", libtorch } };
}

function wasm(): Opened {
  const { open } = require("@stepwell/wasm") as typeof import("@stepwell/wasm");
  return { engine: "wasm", binding: open() as Binding, info: { engine: "wasm" } };
}

/** The WebAssembly engine, after the native engine has failed. */
function wasmInstead(reason: StepwellError): Opened {
  let opened: Opened;
  try {
    opened = wasm();
  } catch (error) {
    throw neither(reason, asStartError(error));
  }
  const text = "So the WebAssembly engine runs, which is slower and has no GPU.";
  process.emitWarning(`${reason.message} ${text} Set STEPWELL_ENGINE=wasm to silence this warning.`, {
    type: "StepwellWarning",
    code: reason.code,
  });
  return { ...opened, binding: explained(opened.binding, reason), info: { ...opened.info, reason } };
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

function choose(wanted: string | undefined): Opened {
  if (wanted && wanted !== "native" && wanted !== "wasm") {
    throw new StepwellError("ERR_ARGUMENT", `STEPWELL_ENGINE: expected native or wasm, given "${brief(wanted)}"`);
  }
  if (wanted === "wasm") return wasm();
  try {
    return native();
  } catch (error) {
    if (wanted === "native") throw error;
    return wasmInstead(asStartError(error));
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
