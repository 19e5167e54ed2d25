/**
 * Stepwell: train parameters from TypeScript with the functions of the k-api.
 *
 * @packageDocumentation
 */

import { startError } from "./start.js";

export * from "./exports.js";
export { engine, engineInfo } from "./start.js";

if (startError !== undefined) throw startError;
