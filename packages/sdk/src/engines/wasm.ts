// The WebAssembly engine, for browsers and for whoever asks for it.

import { open } from "@stepwell/wasm";
import type { Binding, EngineName } from "../binding.js";

export const engine: EngineName = "wasm";
export const binding = open() as Binding;
