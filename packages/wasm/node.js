// The engine for Node, which reads the module from the folder of this file.

import { readFileSync } from "node:fs";
import { engineOf } from "./engine.js";

export const { open } = engineOf(() => readFileSync(new URL("./built/stepwell.wasm", import.meta.url)));
