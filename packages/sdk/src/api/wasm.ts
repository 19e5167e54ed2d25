/**
 * Stepwell on its WebAssembly engine: for browsers, and for programs in Node that choose it.
 *
 * @packageDocumentation
 */

import type { EngineInfo, EngineName } from "../binding.js";
import { openEngine } from "../engines/wasm.js";
import { setClient } from "./client.js";

export * from "./exports.js";

setClient(openEngine);

/** The engine that runs: WebAssembly. */
export const engine: EngineName = "wasm";

/** The engine that runs. In Node the other entry also has the libtorch, or the reason why the native engine does not run. */
export const engineInfo: EngineInfo = Object.freeze({ engine });
