// Versions of the packages that run.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The version of this package. */
export const version = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string }
).version;

/** The version of an installed package; null if it is not installed. The package must export its `package.json`. */
export function packageVersion(name: string): string | null {
  try {
    return (require(`${name}/package.json`) as { readonly version: string }).version;
  } catch {
    return null;
  }
}
