// The client of the engine of this entry. The folder `api` is compiled once for each entry, so that each has its own.

import type { Binding } from "../binding.js";
import { EngineClient } from "../client/engine-client.js";

/** Calls the engine of this entry. */
export let client: EngineClient;

/** Sets the client, by its engine. An entry does so once, before any function is called. */
export function setClient(binding: Binding): void {
  client = new EngineClient(binding);
}
