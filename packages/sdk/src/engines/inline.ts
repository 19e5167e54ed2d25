// The WebAssembly engine of a page, with its module in a script.

import { open } from "@stepwell/wasm/inline";
import type { Binding } from "../binding.js";

/** Opens the engine, which has objects of its own. It starts with the first call. */
export const openEngine = (): Binding => open() as Binding;
