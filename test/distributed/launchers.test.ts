// Processes that torchrun of PyTorch and `stepwell launch` start.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../free-port.js";
import { outputOf } from "../output-of-child.js";

/** The torchrun of a Python with torch 2.11: of STEPWELL_BENCH_PYTHON, or of the machine's own. */
const torchrun = [process.env.STEPWELL_BENCH_PYTHON, "python3"].flatMap((python) => {
  try {
    const code = "import sys, torch; print(sys.executable if torch.__version__.startswith('2.11') else '')";
    const path = python && execFileSync(python, ["-c", code], { encoding: "utf8", stdio: "pipe" }).trim();
    const program = path ? join(dirname(path), "torchrun") : "";
    return existsSync(program) ? [program] : [];
  } catch {
    return [];
  }
})[0];
const reason = torchrun ? "" : " (not run: STEPWELL_BENCH_PYTHON names no Python with torch 2.11)";

const folder = mkdtempSync(join(tmpdir(), "torchrun-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command with a program of this folder, and returns its lines. */
async function linesOf(
  command: string,
  args: readonly string[],
  program: string,
  config: object,
  own: NodeJS.ProcessEnv = {},
): Promise<string[]> {
  const file = join(import.meta.dirname, `../dist/distributed/programs/${program}.js`);
  const child = spawn(command, [...args, file, JSON.stringify(config)], {
    env: { ...process.env, STEPWELL_ENGINE: "native", OMP_NUM_THREADS: "1", ...own },
  });
  const { code, out, error } = await outputOf(child);
  expect(code, error).toBe(0);
  return out.trim().split("\n");
}

test.skipIf(!torchrun)(`torchrun starts two processes${reason}`, async () => {
  const address = ["--master-addr", "127.0.0.1", "--master-port", String(await freePort())];
  const args = ["--nproc-per-node", "2", ...address, "--no-python", process.execPath];
  const config = { path: join(folder, "torchrun.safetensors"), source: "memory", steps: 1000, epochs: 2 };
  const ends = (await linesOf(torchrun ?? "", args, "resume", config)).map((line) => JSON.parse(line));
  expect(ends.map(({ begin }) => begin).sort()).toEqual([1, undefined]);
  expect(ends[0].numbers).toEqual(ends[1].numbers);
  expect(ends[0].position).toMatchObject({ epoch: 3, step: 6 });
});

test.skipIf(!torchrun)(`torchrun starts a group again that has lost a process${reason}`, async () => {
  const address = ["--master-addr", "127.0.0.1", "--master-port", String(await freePort())];
  const args = ["--nproc-per-node", "2", "--max-restarts", "1", ...address, "--no-python", process.execPath];
  const lines = await linesOf(torchrun ?? "", args, "elastic", { path: join(folder, "restart.safetensors") });
  const begins = lines.filter((line) => line.includes("begins"));
  expect(begins).toEqual(["begins at 1 of 2, restart 0", "begins at 5 of 2, restart 1"]);
  const ends = lines.filter((line) => line.includes("{"));
  expect(ends).toHaveLength(2);
  expect(ends[0]).toBe(ends[1]);
});

test.skipIf(!torchrun)(`launch sets the variables of torchrun, except for the ones of its own${reason}`, async () => {
  const path = join(folder, "variables.mjs");
  writeFileSync(path, "if (process.env.RANK === '0') console.log('{' + Object.keys(process.env).join(' ') + '}');");
  const { OMP_NUM_THREADS: _, ...env } = process.env;
  const namesOf = async (command: string, args: readonly string[]) => {
    const { code, out, error } = await outputOf(spawn(command, [...args, path], { env }));
    expect(code, error).toBe(0);
    const names = /\{(.*)\}/.exec(out)?.[1]?.split(" ") ?? [];
    return names.filter((name) => env[name] === undefined && name !== "_").sort();
  };
  const port = ["--master-port", String(await freePort())];
  const cli = join(import.meta.dirname, "../../packages/cli/bin/stepwell.js");
  const theirs = await namesOf(torchrun ?? "", ["--nproc-per-node", "2", ...port, "--no-python", process.execPath]);
  const own = ["TORCHELASTIC_ERROR_FILE", "TORCHELASTIC_SIGNALS_TO_HANDLE", "TORCH_NCCL_ASYNC_ERROR_HANDLING"];
  expect(theirs).toEqual(expect.arrayContaining(own));
  expect(await namesOf(process.execPath, [cli, "launch", "-n", "2"])).toEqual(
    theirs.filter((name) => !own.includes(name)),
  );
});

test.skipIf(!torchrun)(`processes of torchrun leave a group and join another${reason}`, async () => {
  const address = ["--master-addr", "127.0.0.1", "--master-port", String(await freePort())];
  const args = ["--nproc-per-node", "2", ...address, "--no-python", process.execPath];
  // The store of torchrun stays, with the addresses of all groups.
  expect(await linesOf(torchrun ?? "", args, "rejoins", { rounds: 10 })).toEqual(["30", "30"]);
});

test("processes of launch leave a group and join another", async () => {
  const cli = join(import.meta.dirname, "../../packages/cli/bin/stepwell.js");
  const lines = await linesOf(process.execPath, [cli, "launch", "-n", "3"], "rejoins", { rounds: 10 });
  expect(lines.sort()).toEqual(["[0] 60", "[1] 60", "[2] 60"]);
});

test("a group that has lost a process goes on from the checkpoint with the others", async () => {
  const cli = join(import.meta.dirname, "../../packages/cli/bin/stepwell.js");
  const args = [cli, "launch", "-n", "3", "--restarts", "1", "--min-processes", "1"];
  const config = { path: join(folder, "launch.safetensors") };
  // As in a process of torchrun, which opens a port for its own processes.
  const lines = await linesOf(process.execPath, args, "elastic", config, { TORCHELASTIC_USE_AGENT_STORE: "True" });
  // Rank 0 dies after step 4.
  const begins = lines.filter((line) => line.includes("begins"));
  expect(begins).toEqual(["[0] begins at 1 of 3, restart 0", "[0] begins at 5 of 2, restart 1"]);
  const ends = lines.filter((line) => line.includes("{")).map((line) => line.replace(/^\[\d\] /, ""));
  expect(ends).toHaveLength(2);
  expect(ends[0]).toBe(ends[1]);
});
