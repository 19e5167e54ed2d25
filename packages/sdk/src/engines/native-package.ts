// The native package, which no bundle has: away from its folder its code would not find the addons.

import { StepwellError } from "../errors.js";

/** The engine on libtorch, and the one in Rust alone. */
export type NativeEntry = "@stepwell/native" | "@stepwell/native/rust";

// A bundle of ES modules has no `require` for modules of Node.
const { createRequire } = process.getBuiltinModule("node:module");
const { existsSync } = process.getBuiltinModule("node:fs");

/**
 * Loads `@stepwell/native`, or an entry of it, and returns its exports. A bundler does not see this import. So a bundle looks for the package when it
 * runs: from its own file, and from the script that Node was started with.
 */
export function requireNative(entry: NativeEntry): unknown {
  // A bundle of ES modules has no `__filename`.
  const file = typeof __filename === "string" ? __filename : "";
  // Some bundlers keep the path of a source, where it does not exist.
  if (/[\\/]engines[\\/]native-package\.js$/.test(file) && existsSync(file)) return createRequire(file)(entry);
  const starts = [...new Set([file, process.argv[1] ?? ""])].filter(Boolean);
  const path = starts.map((start) => resolveNative(start, entry)).find(Boolean);
  if (path) return createRequire(path)(path);
  const advice = "Make @stepwell/sdk external for the bundler, and install it where the bundle runs.";
  throw new StepwellError(
    "ERR_ADDON_NOT_FOUND",
    `@stepwell/native is not found from the bundle ${starts.join(" or ")}. ${advice}`,
  );
}

/** The path of the package as a file finds it. */
function resolveNative(file: string, entry: NativeEntry): string | undefined {
  try {
    return createRequire(file).resolve(entry);
  } catch {
    return undefined;
  }
}
