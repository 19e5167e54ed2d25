// The example of several processes, as its README starts it.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { outputOf } from "../output-of-child.js";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "example-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the example, and returns its lines. */
async function run(launch: readonly string[], ...args: readonly string[]): Promise<string[]> {
  return runFile("main.js", launch, ...args);
}

async function runFile(file: string, launch: readonly string[], ...args: readonly string[]): Promise<string[]> {
  const program = [join(root, "examples/distributed/dist", file), ...(launch.length > 0 ? ["--"] : []), ...args];
  const cli = launch.length > 0 ? [join(root, "packages/cli/bin/stepwell.js"), "launch", ...launch] : [];
  const env = { ...process.env, STEPWELL_ENGINE: "native", OMP_NUM_THREADS: "1" };
  const child = spawn(process.execPath, [...cli, ...program], { env });
  const { code, out, error } = await outputOf(child);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  return out.trim().split("\n");
}

it("trains on one process and on two, and goes on from the checkpoint of two with one", async () => {
  const size = ["--digits", "1000"];
  const one = await run([], ...size, "--epochs", "2");
  const path = join(folder, "digits.safetensors");
  const two = await run(["-n", "2"], ...size, "--epochs", "2", "--checkpoint", path);
  const line = /^(?:\[0\] )?epoch (\d): loss (\d\.\d+), (\d+\.\d) % of the test$/;
  const figures = (lines: readonly string[]) => lines.map((text) => line.exec(text)?.slice(1).map(Number) ?? [text]);
  const [losses, others] = [figures(one), figures(two)].map((rows) => rows.map(([, loss]) => Number(loss))) as [
    number[],
    number[],
  ];
  expect(losses).toHaveLength(2);
  // Dropout differs, so that the losses are near.
  for (const [i, loss] of losses.entries()) expect(Math.abs((others[i] as number) - loss)).toBeLessThan(0.2);
  const more = await run([], ...size, "--epochs", "3", "--checkpoint", path);
  expect(figures(more).map(([epoch]) => epoch)).toEqual([3]);
  expect(figures(more)[0]?.[1]).toBeLessThan(others[1] as number);
});

it("trains the transformer in a loop of its own, with equal losses on one process and on two", async () => {
  const one = await runFile("gpt.js", [], "3");
  const two = await runFile("gpt.js", ["-n", "2"], "3");
  const losses = [one, two].map(([line = ""]) => Number(/step 3: loss (\d+\.\d+)$/.exec(line)?.[1]));
  expect(losses[0]).toBeGreaterThan(1);
  // Single precision: sums of 16 and of 32 pieces are rounded differently.
  expect(Math.abs((losses[0] as number) - (losses[1] as number))).toBeLessThan(0.001);
});
