// The README's way to add the packages to a project works as it is written.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { pack as packInto, run } from "../packaging/packed.js";
import { isError } from "./examples.js";
import { stepsOf, walk } from "./walk.js";

const root = join(import.meta.dirname, "..", "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const project = mkdtempSync(join(tmpdir(), "stepwell-install-"));
afterAll(() => rmSync(project, { recursive: true }));

const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, text = ""]) => text);
const block = (language: string) => blocks(language)[0] ?? "";

const [pack = "", install = ""] = blocks("sh").map((text) => text.trim());
const without = (tarball: RegExp) => install.replace(tarball, "");

it("packs, installs and trains", () => {
  expect(pack).toBe("npm run pack ../my-project");
  // Without the set-up, which the tests have done.
  packInto(project);
  writeFileSync(join(project, "package.json"), `{ "type": "module" }`);
  expect(install.split(" ").filter((word) => word.endsWith(".tgz"))).toHaveLength(3);
  const offline = "--offline --no-audit --no-fund";
  expect(run("sh", ["-c", `${install} ${offline}`], project)).toMatchObject({ status: 0 });
  writeFileSync(join(project, "train.js"), block("ts"));
  const prints = /\/\/ prints: (.*)/.exec(block("ts"))?.[1];
  expect(run(process.execPath, ["train.js"], project)).toEqual({ status: 0, stdout: `${prints}\n`, stderr: "" });

  const tsconfig = block("json");
  expect(tsconfig).toContain("compilerOptions");
  writeFileSync(join(project, "tsconfig.json"), tsconfig);
  const fluent = blocks("ts").find((text) => text.includes("new Model(")) ?? "";
  for (const [name, text] of Object.entries({ train: block("ts"), fit: fluent }))
    writeFileSync(join(project, `${name}.ts`), text);
  for (const compiler of ["node_modules/.bin/tsc", "test/node_modules/typescript-5.9/bin/tsc"]) {
    expect(run(join(root, compiler), ["--noEmit", "-p", "."], project)).toEqual({ status: 0, stdout: "", stderr: "" });
  }

  // The tutorial goes on from here, in a folder of its own, since both have a file train.js.
  const folder = join(project, "tutorial");
  mkdirSync(folder);
  const seen = walk(stepsOf(join(root, "docs", "tutorial.md")), folder);
  expect(seen.length).toBeGreaterThan(4);
  expect(seen.filter(({ printed, wanted }) => !isError(printed, wanted))).toEqual([]);

  writeFileSync(join(project, "package.json"), `{ "type": "module" }`);
  rmSync(join(project, "node_modules"), { recursive: true });
  rmSync(join(project, "package-lock.json"));
  const wasm = without(/\S*native\S* /);
  expect(run("sh", ["-c", `${wasm} ${offline}`], project)).toMatchObject({ status: 0 });
  expect(readdirSync(join(project, "node_modules", "@stepwell"))).toEqual(["sdk", "wasm"]);
  expect(run(process.execPath, ["train.js"], project)).toMatchObject({ status: 0, stdout: `${prints}\n` });
  expect(run(process.execPath, ["train.js"], project).stderr).toContain("WebAssembly engine runs");
});

it.each(["native", "sdk", "wasm"])("%s has the same command on its own page", (name) => {
  const page = readFileSync(join(root, "packages", name, "README.md"), "utf8");
  const command = /```sh\n(.*)\n```/.exec(page)?.[1];
  expect(command).toBe(name === "wasm" ? without(/\S*native\S* /) : install);
});
