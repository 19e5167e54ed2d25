// The client of the engine of this entry. The folder `api` is compiled once for each entry, so that each has its own.

import type { Binding } from "../binding.js";
import { EngineClient } from "../client/engine-client.js";

/** Calls the engine of this entry. */
export let client: EngineClient;

/**
 * Sets the client of the engine that `open` opens. An entry does so before any function is called. In a page two entries share
 * a client, which the first sets.
 */
export function setClient(open: () => Binding): void {
  client ??= new EngineClient(open());
}
