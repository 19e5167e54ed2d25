// Saves generation after generation, each a tensor full of its own number, and says when a save has returned.

import * as k from "@stepwell/sdk";
import { type Saver, savers } from "../savers.js";
import { configured, say } from "./lines.js";

export interface SaveLoopConfig {
  readonly path: string;
  readonly elements: number;
  readonly saver: Saver;
  /** The first generation. */
  readonly first: number;
}

const { path, elements, saver, first } = configured<SaveLoopConfig>();
say("ready");
for (let generation = first; ; generation++) {
  const numbers = k.full([elements], generation, "double");
  savers[saver](path, { numbers, generation })();
  k.free(numbers);
  say(String(generation));
}
