// A newcomer's way: the programs of the tutorial are written one after the other, and print what the page shows.

import { execFileSync } from "node:child_process";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { exampleFolder, removeFolder } from "./example-runs.js";
import { isError } from "./examples.js";
import { stepsOf, walk } from "./walk.js";

const root = join(import.meta.dirname, "..", "..");
const steps = stepsOf(join(root, "docs", "tutorial.md"));
const folder = exampleFolder();
afterAll(() => removeFolder(folder));

describe.each(walk(steps, folder))("$command", ({ printed, wanted }) => {
  it("prints what the page shows", () => {
    expect(wanted).not.toBe("");
    if (wanted.includes("…")) expect(printed).toSatisfy((text) => isError(String(text), wanted));
    else expect(printed).toBe(wanted);
  });
});

it("has programs, an error and a resumed training", () => {
  const commands = steps.flatMap((step) => (step.kind === "run" ? [step.command] : []));
  expect(commands).toEqual(["node line.js", "node train.js 40", "node error.js", "node resume.js", "node train.js 80"]);
});

it("its programs are TypeScript, too", () => {
  const files = steps.flatMap((step) => (step.kind === "write" ? [join(folder, step.file)] : []));
  for (const file of files) renameSync(file, file.replace(/\.js$/, ".ts"));
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--types", "node"];
  const sources = files.map((file) => file.replace(/\.js$/, ".ts"));
  const tsc = join(root, "node_modules", ".bin", "tsc");
  const check = () =>
    execFileSync(
      tsc,
      [...options, "--lib", "es2023,esnext.disposable", "--skipLibCheck", "--ignoreConfig", ...sources],
      {
        encoding: "utf8",
      },
    );
  expect(check()).toBe("");
});
