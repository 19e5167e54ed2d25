import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { help, load, module, opt, seq } from "@stepwell/sdk";
import { afterAll, describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("../../examples/digits/dist/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "digits-"));
afterAll(() => rmSync(folder, { recursive: true }));

const demo = (...args: string[]) => promisify(execFile)(process.execPath, [main, "--out", folder, ...args]);

interface Report {
  readonly runs: readonly {
    readonly optimizer: string;
    readonly testAccuracy?: number;
    readonly epochs: readonly { readonly testAccuracy: number; readonly handles: number }[];
  }[];
}

describe("the digits demo", () => {
  it("shows every optimizer learning, and LAMB to 94 %", async () => {
    const { stdout } = await demo("--all");
    const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as Report;
    const names = report.runs.map((run) => run.optimizer);
    expect(names.toSorted()).toEqual(help("optimizer").map((row) => row.optimizer));
    for (const { optimizer, epochs } of report.runs) {
      const accuracy = epochs.at(-1)?.testAccuracy ?? 0;
      expect(accuracy, optimizer).toBeGreaterThanOrEqual(optimizer === "lamb" ? 0.94 : 0.9);
      // A step frees the objects that it makes.
      expect(new Set(epochs.map((epoch) => epoch.handles)).size, optimizer).toBe(1);
    }
    // No control characters unless there is a terminal.
    expect([...stdout].every((letter) => letter >= " " || letter === "\n")).toBe(true);
  });

  it("writes a page that needs nothing from elsewhere", () => {
    const page = readFileSync(join(folder, "report.html"), "utf8");
    expect(page).toContain("uPlot");
    expect(page).not.toMatch(/<(script|link|img)[^>]+(src|href)="?(https?:)?\/\//);
  });

  it("saves parameters that load", () => {
    const classifier = module(seq("sequential", ["linear", "hidden", 784, 256], "relu", ["linear", "output", 256, 10]));
    load(classifier, join(folder, "lamb.safetensors"));
    expect(opt(opt("sgd", classifier)).parms).toHaveLength(4);
  });

  it.each([
    [["--optimizer", "lion"], /lion/],
    [["--epochs", "0"], /epochs/],
    [["--batch", "abc"], /batch/],
    [["--lr", "-1"], /lr/],
    [["--device", "cuda:99"], /cuda:99/],
  ])("says in a sentence what is wrong with %j", async (args, words) => {
    const failure = await demo(...args).then(
      () => expect.fail("it went through"),
      (error: { code: number; stderr: string }) => error,
    );
    expect(failure.code).toBe(1);
    expect(failure.stderr).toMatch(words);
    expect(failure.stderr).not.toMatch(/\n {4}at /);
    expect(existsSync(folder)).toBe(true);
  });
});
