// Copies the pages of error codes into the SDK's package, where `StepwellError.help` names them. Run before the package is packed.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./command.mjs";

const [from, to] = [join(root, "docs", "errors"), join(root, "packages", "sdk", "docs", "errors")];
rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
for (const file of readdirSync(from)) {
  const text = readFileSync(join(from, file), "utf8");
  // A link to a page that the package does not have becomes its text.
  writeFileSync(join(to, file), text.replace(/\[([^\]]+)\]\(\.\.\/[^)]*\)/g, "$1"));
}
