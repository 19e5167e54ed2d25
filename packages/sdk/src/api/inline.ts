/**
 * Stepwell on its WebAssembly engine, for pages that cannot fetch a file: the module is in a script.
 *
 * @packageDocumentation
 */

import type { EngineInfo, EngineName } from "../binding.js";
import { openEngine } from "../engines/inline.js";
import { setClient } from "./client.js";

export * from "./exports.js";

setClient(openEngine);

/** The engine that runs: WebAssembly. */
export const engine: EngineName = "wasm";

/** The engine that runs. */
export const engineInfo: EngineInfo = Object.freeze({ engine });
