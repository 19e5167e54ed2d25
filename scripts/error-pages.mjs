// Copies the pages of error codes into the SDK's package, where `StepwellError.help` names them. Run before the package is packed.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./command.mjs";

const [from, to] = [join(root, "docs", "errors"), join(root, "packages", "sdk", "docs", "errors")];
mkdirSync(to, { recursive: true });
const files = readdirSync(from);
for (const file of readdirSync(to)) if (!files.includes(file)) rmSync(join(to, file), { force: true });
for (const file of files) {
  // A link to a page that the package does not have becomes its text.
  const text = readFileSync(join(from, file), "utf8").replace(/\[([^\]]+)\]\(\.\.\/[^)]*\)/g, "$1");
  const copy = join(to, file);
  // Another process may pack at the same time, so a page that is right stays.
  if (!existsSync(copy) || readFileSync(copy, "utf8") !== text) writeFileSync(copy, text);
}
