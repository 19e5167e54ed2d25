// The native package, which no bundle has: away from its folder its code would not find the addons.

import { StepwellError } from "../errors.js";

/**
 * Loads `@stepwell/native` and returns its exports. A bundler does not see this import, so the package is looked for from the
 * bundle, when it runs.
 */
export function requireNative(): unknown {
  const isBundled = typeof __filename !== "string" || !/[\\/]native-package\.js$/.test(__filename);
  // A bundle of ES modules has neither a file name nor `require`.
  const file = typeof __filename === "string" ? __filename : (process.argv[1] ?? process.execPath);
  const { createRequire } = process.getBuiltinModule("node:module");
  try {
    return createRequire(file)("@stepwell/native");
  } catch (error) {
    if (!isBundled || (error as { readonly code?: unknown }).code !== "MODULE_NOT_FOUND") throw error;
    const advice = "Make @stepwell/sdk external for the bundler, and install it where the bundle runs.";
    throw new StepwellError("ERR_ADDON_NOT_FOUND", `@stepwell/native is not found from the bundle ${file}. ${advice}`, {
      cause: error,
    });
  }
}
