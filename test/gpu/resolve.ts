// A hook of Node: imports of vitest get vitest.ts of this folder.

import type { ResolveHook } from "node:module";

const replacement = new URL("vitest.js", import.meta.url).href;

export const resolve: ResolveHook = (specifier, context, next) =>
  specifier === "vitest" ? { url: replacement, shortCircuit: true } : next(specifier, context);
