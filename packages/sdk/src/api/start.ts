// The start of the engine in Node, which does not throw. If a CommonJS module throws while an ES module imports it, Node 20 ends the
// process, even if the program catches the error. So each entry for Node throws `startError` itself.

import type { EngineInfo, EngineName } from "../binding.js";
import { openEngine } from "../engines/node.js";
import { setClient } from "./client.js";

function start() {
  try {
    const { engine, binding, info } = openEngine();
    setClient(() => binding);
    return { engine, info };
  } catch (error) {
    return { error };
  }
}

const { engine: opened, info, error } = start();

/** The `StepwellError` of an engine that cannot start. */
export const startError: unknown = error;

/** The engine that runs. In Node it is the native one if it starts, or the best of the others; `STEPWELL_ENGINE` overrides this. */
export const engine: EngineName = opened as EngineName;

/** The engine that runs, its libtorch, and why the native engine does not run, if it was not to be WebAssembly. */
export const engineInfo: EngineInfo = Object.freeze(info as EngineInfo);
