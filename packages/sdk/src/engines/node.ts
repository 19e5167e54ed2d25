// The engine for Node: the native one if it is installed, and otherwise WebAssembly. STEPWELL_ENGINE overrides this.

import type { Binding, EngineName } from "../binding.js";
import { StepwellError } from "../errors.js";
import { brief } from "../values/describe.js";
import { asStartError } from "./start-error.js";

function native(): Binding {
  const { open } = require("@stepwell/native") as { open(): Omit<Binding, "reset" | "ready"> };
  const binding = open();
  return {
    // Also copies `owner`, which ends the session when it is garbage-collected.
    ...binding,
    reset: () => {
      binding.call("reset", []);
      return false;
    },
    ready: async () => {},
  };
}

function wasm(): Binding {
  return (require("@stepwell/wasm") as typeof import("@stepwell/wasm")).open() as Binding;
}

/** True for the error of a package that is not installed, or that has no addon for this platform. */
function isMissing(error: unknown): boolean {
  const { code, message = "" } = error as { readonly code?: unknown; readonly message?: string };
  const isAbsent = code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND";
  return code === "ERR_ADDON_NOT_FOUND" || (isAbsent && message.includes("@stepwell/native"));
}

interface Opened {
  readonly engine: EngineName;
  readonly binding: Binding;
}

function choose(wanted: string | undefined): Opened {
  if (wanted && wanted !== "native" && wanted !== "wasm") {
    throw new StepwellError("ERR_ARGUMENT", `STEPWELL_ENGINE: expected native or wasm, given "${brief(wanted)}"`);
  }
  if (wanted === "wasm") return { engine: "wasm", binding: wasm() };
  try {
    return { engine: "native", binding: native() };
  } catch (error) {
    if (wanted === "native" || !isMissing(error)) throw error;
    const text = "@stepwell/native is not here, so the WebAssembly engine runs, which is slower and has no GPU.";
    process.emitWarning(`${text} Set STEPWELL_ENGINE=wasm to silence this warning.`, "StepwellWarning");
    return { engine: "wasm", binding: wasm() };
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
