// The code panel's programs are compiled and run, and print where the race stands.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OptimizerName, OptionRow } from "@stepwell/sdk";
import * as k from "@stepwell/sdk";
import { afterAll, expect, it } from "vitest";
import { code } from "../../apps/playground/src/code.js";
import { defaultOptions } from "../../apps/playground/src/defaults.js";
import { optimizerNames, tableOf } from "../../apps/playground/src/options.js";
import { Race } from "../../apps/playground/src/race.js";
import type { RacerSettings } from "../../apps/playground/src/racer.js";
import { type SurfaceName, surfaceNames, surfaces } from "../../apps/playground/src/surfaces/index.js";

// Next to the tests, where `@stepwell/sdk` is found.
const here = dirname(fileURLToPath(import.meta.url));
mkdirSync(join(here, "screenshots"), { recursive: true });
const folder = mkdtempSync(join(here, "screenshots", "programs-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Case {
  readonly surface: SurfaceName;
  readonly settings: RacerSettings;
  readonly edits: readonly { readonly at: number; readonly group: number; readonly options: OptionRow }[];
}

const cases: Case[] = [
  ...surfaceNames.flatMap((surface) =>
    optimizerNames.map((optimizer) => ({
      surface,
      settings: { optimizer, groups: [defaultOptions(surface, optimizer)] as const },
      edits: [],
    })),
  ),
  ...optimizerNames.map((optimizer) => edited(optimizer)),
];

/** In two groups where that can be, with options changed on the way. */
function edited(optimizer: OptimizerName): Case {
  const first = defaultOptions("beale", optimizer);
  const second = { ...first, lr: (first.lr as number) / 3, maximize: false };
  const isSplit = !tableOf(optimizer).needsClosure;
  return {
    surface: "beale",
    settings: { optimizer, groups: isSplit ? [first, second] : [first] },
    edits: [
      { at: 0, group: 0, options: { lr: (first.lr as number) / 2 } },
      { at: 11, group: isSplit ? 1 : 0, options: { lr: (first.lr as number) / 5 } },
    ],
  };
}

it("the programs compile, and end at the same bits as the races", () => {
  const expected = cases.map(({ surface, settings, edits }, index) => {
    const { start } = surfaces[surface];
    const race = Race.start(k, { surface, start, racers: [settings] });
    for (const { at, group, options } of edits) {
      race.advance(at - race.clock);
      race.edit(settings.optimizer, group, options);
    }
    race.advance(40 - race.clock);
    const [racer] = race.racers;
    if (!racer) throw new Error("no racer");
    const text = code({ surface, start, settings, edits: racer.edits, steps: racer.steps });
    writeFileSync(join(folder, `program${index}.ts`), text);
    const { position } = racer;
    race.free();
    return position;
  });

  const root = join(here, "../..");
  const settings = { extends: join(root, "tsconfig.base.json"), compilerOptions: { outDir: "out", composite: false } };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ ...settings, include: ["*.ts"] }));
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], { stdio: "inherit" });

  // All in one process, which prints one line for each.
  const lines = cases.map((_, index) => `await import("./program${index}.js");`);
  writeFileSync(
    join(folder, "out/all.mjs"),
    `console.log = (x) => process.stdout.write(JSON.stringify(x) + "\\n");\n${lines.join("\n")}`,
  );
  const printed = execFileSync(process.execPath, [join(folder, "out/all.mjs")], { encoding: "utf8" });
  expect(
    printed
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual(expected);
  expect(readFileSync(join(folder, "program0.ts"), "utf8")).toContain("function gradient");
});
