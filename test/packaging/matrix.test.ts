// The rows of `npm run test:install` that need nothing from a registry: this Node, and npm with the tarballs.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { install, type Project } from "../install/managers.js";
import { nodeRows } from "../install/rows.js";
import { pack } from "./packed.js";

const folder = mkdtempSync(join(tmpdir(), "matrix-"));
let project: Project;
beforeAll(() => {
  pack(folder);
  const tarballs = readdirSync(folder).map((name) => join(folder, name));
  project = install(join(folder, "project"), "npm", tarballs, { variables: { npm_config_offline: "true" } });
});
afterAll(() => rmSync(folder, { recursive: true }));

const rows = nodeRows(
  ["npm, tarballs"],
  () => [process.execPath],
  () => project,
);

it.each(rows.map((row) => ({ name: row.words.join(" | "), ...row })))("$name", ({ check }) => {
  expect(check()).toMatch(/^0 1 1 0 on (?:native$|rust, one warning$)/);
});
