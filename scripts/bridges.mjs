// Copies the bridges to PyTorch into the SDK's package, from where a program copies them. Run before the package is packed.

import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./command.mjs";

const [from, to] = [join(root, "bridges", "pytorch"), join(root, "packages", "sdk", "bridges", "pytorch")];
rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
for (const file of readdirSync(from)) if (file.endsWith(".py")) copyFileSync(join(from, file), join(to, file));
