// The WebAssembly engine, for browsers and for programs that choose it.

import { open } from "@stepwell/wasm";
import type { Binding } from "../binding.js";

/** Opens the engine, which has objects of its own. It starts with the first call, in a page with `ready`. */
export const openEngine = (): Binding => open() as Binding;
