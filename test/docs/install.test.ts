// The README's way to add the packages to a project works as it is written.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { run } from "../packaging/packed.js";

const root = join(import.meta.dirname, "..", "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const project = mkdtempSync(join(tmpdir(), "stepwell-install-"));
afterAll(() => rmSync(project, { recursive: true }));

const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, text = ""]) => text);
const block = (language: string) => blocks(language)[0] ?? "";

it("packs, installs and trains", () => {
  const [, pack = ""] = /^(for name in .* npm pack .*)$/m.exec(block("sh")) ?? [];
  expect(pack).toContain("../my-project");
  expect(run("sh", ["-c", pack.replaceAll("../my-project", project)], root)).toMatchObject({ status: 0 });

  writeFileSync(join(project, "package.json"), block("json"));
  expect(run("npm", ["install", "--offline", "--no-audit", "--no-fund"], project)).toMatchObject({ status: 0 });
  writeFileSync(join(project, "train.js"), block("ts"));
  const prints = /\/\/ prints: (.*)/.exec(block("ts"))?.[1];
  expect(run(process.execPath, ["train.js"], project)).toEqual({ status: 0, stdout: `${prints}\n`, stderr: "" });

  const [, tsconfig = ""] = blocks("json");
  expect(tsconfig).toContain("compilerOptions");
  writeFileSync(join(project, "tsconfig.json"), tsconfig);
  const using = blocks("ts").find((text) => text.includes("using model")) ?? "";
  for (const [name, text] of Object.entries({ train: block("ts"), fit: using }))
    writeFileSync(join(project, `${name}.ts`), text);
  for (const compiler of ["node_modules/.bin/tsc", "test/node_modules/typescript-5.9/bin/tsc"]) {
    expect(run(join(root, compiler), ["--noEmit", "-p", "."], project)).toEqual({ status: 0, stdout: "", stderr: "" });
  }

  const [, omitting = ""] = /run\s`(npm install --omit=optional)`/.exec(readme) ?? [];
  const manifest = JSON.parse(block("json"));
  delete manifest.dependencies["@stepwell/native"];
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  rmSync(join(project, "node_modules"), { recursive: true });
  rmSync(join(project, "package-lock.json"));
  expect(run("sh", ["-c", `${omitting} --offline --no-audit --no-fund`], project)).toMatchObject({ status: 0 });
  expect(run(process.execPath, ["train.js"], project)).toMatchObject({ status: 0, stdout: `${prints}\n` });
  expect(run(process.execPath, ["train.js"], project).stderr).toContain("WebAssembly engine runs");
});
