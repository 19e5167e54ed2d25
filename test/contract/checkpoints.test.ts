// A folder of checkpoints: which files stay, what a crash leaves, and what is refused.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

const root = mkdtempSync(join(tmpdir(), "stepwell-checkpoints-"));
let folder = "";
let count = 0;
beforeEach(() => {
  folder = join(root, String(count++), "runs");
});
afterEach(() => k.free());
afterAll(() => rmSync(root, { recursive: true }));

const steps = () =>
  readdirSync(folder)
    .sort()
    .map((name) => name.replace(/^step-0*(?=\d)/, "").replace(".safetensors", ""));

describe("checkpoints", () => {
  it("keeps the newest files, in a folder that it makes", () => {
    const kept = k.checkpoints(folder, { keep: 2 });
    expect(kept.latest()).toBeUndefined();
    expect(kept.entries()).toEqual([]);
    const paths = [5, 90, 100].map((step) => kept.save({ step }, { step }));
    expect(steps()).toEqual(["90", "100"]);
    expect(kept.entries()).toEqual([
      { step: 90, path: paths[1] },
      { step: 100, path: paths[2] },
    ]);
    expect(kept.latest()).toEqual({ step: 100, path: paths[2] });
    expect(k.load(paths[2] as string)).toEqual({ step: 100 });
  });

  it("keeps all without options, and a file that is saved again once", () => {
    const kept = k.checkpoints(folder);
    for (const step of [1, 2, 2, 10 ** 12]) kept.save({ step }, { step });
    kept.save({ epoch: 1 }, { step: 10 ** 12, score: 1 });
    expect(steps()).toEqual(["1", "2", "1000000000000-score-1"]);
    expect(kept.best()).toEqual(kept.latest());
  });

  it.each([
    ["min", ["2-score-0.1", "5-score-0.1", "6-score-NaN"]],
    ["max", ["3-score-Infinity", "4-score-7e+21", "6-score-NaN"]],
  ] as const)("keeps the best of mode %s besides the newest", (mode, expected) => {
    const kept = k.checkpoints(folder, { keep: 1, best: 2, mode });
    const scores = [0.5, 0.1, Number.POSITIVE_INFINITY, 7e21, 0.1, Number.NaN];
    for (const [i, score] of scores.entries()) kept.save({ epoch: 1 }, { step: i + 1, score });
    expect(steps()).toEqual(expected);
    expect(kept.best()?.step).toBe(mode === "min" ? 5 : 3);
    // Another process knows the scores from the names.
    expect(k.checkpoints(folder, { mode }).best()).toEqual(kept.best());
  });

  it.each(["min", "max"] as const)("takes the worst number before NaN, in mode %s", (mode) => {
    const worst = mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    const kept = k.checkpoints(folder, { keep: 1, best: 1, mode });
    for (const [i, score] of [worst, Number.NaN, Number.NaN].entries()) kept.save({ epoch: 1 }, { step: i + 1, score });
    expect(kept.best()).toMatchObject({ step: 1, score: worst });
    expect(steps()).toEqual([`1-score-${worst}`, "3-score-NaN"]);
  });

  it("leaves other files alone", () => {
    mkdirSync(folder, { recursive: true });
    const others = ["notes.txt", "step-1.safetensors", "step-0000000001-score-1.50.safetensors", "step-x.safetensors"];
    for (const name of others) writeFileSync(join(folder, name), "");
    const kept = k.checkpoints(folder, { keep: 1 });
    for (const step of [1, 2]) kept.save({ epoch: 1 }, { step });
    expect(readdirSync(folder).sort()).toEqual([...others, "step-0000000002.safetensors"].sort());
  });

  it("saves on a thread too", async () => {
    const m = k.module(["linear", 2, 2]);
    const kept = k.checkpoints(folder, { keep: 1 });
    for (const step of [1, 2]) await kept.saveAsync({ m }, { step });
    expect(steps()).toEqual(["2"]);
    k.load(kept.latest()?.path as string, { m });
  });

  it("removes what a crash has left, with the next save", () => {
    const unlimited = k.checkpoints(folder);
    for (const step of [1, 2, 3]) unlimited.save({ epoch: 1 }, { step });
    k.checkpoints(folder, { keep: 2 }).save({ epoch: 1 }, { step: 4 });
    expect(steps()).toEqual(["3", "4"]);
  });

  it("has loadable files whenever the process is killed", async () => {
    const program = `
      import * as k from "@stepwell/sdk";
      const m = k.module(["linear", 64, 64]);
      const kept = k.checkpoints(process.argv[1], { keep: 2, best: 1 });
      let step = (kept.latest()?.step ?? 0) + 1;
      for (;;) { kept.save({ m, step }, { step, score: 1 / step }); if (step++ % 5 === 0) console.log(step); }`;
    const cwd = fileURLToPath(new URL(".", import.meta.url));
    for (let round = 0; round < 3; round++) {
      const args = ["--input-type=module", "-e", program, folder];
      const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", 2] });
      await once(child.stdout as NodeJS.ReadableStream, "data");
      child.kill("SIGKILL");
      await once(child, "exit");
      const kept = k.checkpoints(folder, { keep: 2, best: 1 });
      const entries = kept.entries();
      // The newest two, one that was to be removed, and the best.
      expect(entries.length).toBeGreaterThanOrEqual(1);
      expect(entries.length).toBeLessThanOrEqual(4);
      for (const { path, step } of entries) expect(k.load(path)).toMatchObject({ step });
      k.free();
    }
  });

  it("refuses a folder that cannot be made", () => {
    mkdirSync(join(folder, ".."));
    symlinkSync(join(folder, "..", "absent"), folder);
    // mkdir of Node with `recursive` never returns in /proc.
    for (const place of [
      folder,
      join(folder, "runs"),
      ...(process.platform === "linux" ? ["/proc/absent/runs"] : []),
    ]) {
      const kept = k.checkpoints(place);
      expect(expectError("ERR_FILE", () => kept.save({ step: 1 }, { step: 1 }))).toMatch(/^checkpoints: cannot make /);
    }
  });

  it("refuses bad arguments, and changes nothing", () => {
    const make = k.checkpoints as (...args: unknown[]) => ReturnType<typeof k.checkpoints>;
    expectError("ERR_ARGUMENT", () => make());
    expectError("ERR_ARGUMENT", () => make(""));
    expectError("ERR_ARGUMENT", () => make(folder, 3));
    expectError("ERR_OPTION_UNKNOWN", () => make(folder, { keeps: 3 }));
    for (const options of [{ keep: "3" }, { best: true }, { mode: "least" }, { mode: null }])
      expectError("ERR_OPTION_TYPE", () => make(folder, options));
    for (const options of [{ keep: 0 }, { keep: 1.5 }, { best: -1 }, { keep: Number.NaN }])
      expectError("ERR_OPTION_RANGE", () => make(folder, options));
    const kept = make(folder, { keep: 1, best: 1 }) as unknown as {
      save(...args: unknown[]): string;
      latest(): unknown;
    };
    expectError("ERR_ARGUMENT", () => kept.save({ epoch: 1 }));
    expectError("ERR_OPTION_TYPE", () => kept.save({ epoch: 1 }, { score: 1 }));
    expectError("ERR_OPTION_RANGE", () => kept.save({ epoch: 1 }, { step: -1, score: 1 }));
    expectError("ERR_OPTION_UNKNOWN", () => kept.save({ epoch: 1 }, { step: 1, score: 1, epoch: 1 }));
    expectError("ERR_OPTION_TYPE", () => kept.save({ epoch: 1 }, { step: 1, score: "1" }));
    expect(expectError("ERR_ARGUMENT", () => kept.save({ epoch: 1 }, { step: 1 }))).toBe(
      "checkpoints: score: expected a number, for the best, given undefined",
    );
    expect(kept.latest()).toBeUndefined();
    kept.save({ epoch: 1 }, { step: 7, score: 1 });
    expect(expectError("ERR_ARGUMENT", () => kept.save({ epoch: 1 }, { step: 6, score: 1 }))).toContain(
      "checkpoints: step: expected at least 7, as of ",
    );
    expectError("ERR_ARGUMENT", () => kept.save({ f: () => 1 }, { step: 8, score: 1 }));
    expect(steps()).toEqual(["7-score-1"]);
  });

  it("says what it cannot read, make or remove", () => {
    const file = join(root, `file-${count}`);
    writeFileSync(file, "");
    expect(expectError("ERR_FILE", () => k.checkpoints(file).latest())).toContain(`cannot read ${file}`);
    expect(expectError("ERR_FILE", () => k.checkpoints(join(file, "x")).entries())).toContain("cannot read");
    const kept = k.checkpoints(folder, { keep: 1 });
    mkdirSync(join(folder, "step-0000000001.safetensors"), { recursive: true });
    const message = expectError("ERR_FILE", () => kept.save({ epoch: 1 }, { step: 2 }));
    expect(message).toMatch(/step-0000000002.safetensors is saved, but cannot remove .*step-0000000001.safetensors/);
    expect(kept.latest()?.step).toBe(2);
  });
});
