/**
 * Stepwell: train parameters from TypeScript with the functions of the k-api.
 *
 * @packageDocumentation
 */

import type { EngineName } from "../binding.js";
import { openEngine } from "../engines/node.js";
import { setClient } from "./client.js";

export * from "./exports.js";

const opened = openEngine();
setClient(opened.binding);

/** The engine that runs. In Node it is the native one if it is installed; `STEPWELL_ENGINE` overrides this. */
export const engine: EngineName = opened.engine;
