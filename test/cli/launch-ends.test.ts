// Ends of `stepwell launch`: of its processes, of the programs that they start, and of itself.

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { isTreeRunning } from "../../packages/cli/dist/launch/process-tree.js";
import { outputOf } from "../output-of-child.js";

const cli = join(import.meta.dirname, "../../packages/cli/bin/stepwell.js");
const folder = mkdtempSync(join(tmpdir(), "launch-"));
afterAll(() => rmSync(folder, { recursive: true }));

const started: ChildProcessWithoutNullStreams[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** Writes a program, and returns its path. It says the id of its process first. */
function program(text: string): string {
  const path = join(folder, "program.mjs");
  writeFileSync(path, `import { spawn } from "node:child_process";\nconsole.log("runs", process.pid);\n${text}`);
  return path;
}

/** A program that runs until a signal ends it. */
const endless = "setInterval(() => {}, 1000);";
/** A program that saves after a signal, for which it takes a while. */
const saving = (signal: string) => `
  process.once("${signal}", () => setTimeout(() => {
    console.log("saved");
    process.exit();
  }, 500));
  ${endless}`;

/** A wrapper that neither forwards signals nor waits after them. */
const wrapper = (path: string) => ["sh", "--", "-c", `"${process.execPath}" "${path}"; exit $?`];

/** A `launch`, which leads a process group as in a terminal. */
function launch(...args: readonly string[]) {
  const env = { ...process.env, OMP_NUM_THREADS: "1" };
  const child = spawn(process.execPath, [cli, "launch", ...args], { env, detached: true });
  started.push(child);
  let printed = "";
  child.stdout.on("data", (bytes) => {
    printed += bytes;
  });
  const found = () => [...printed.matchAll(/\] runs (\d+)\n/g)].map(([, pid]) => Number(pid));
  return {
    child,
    pid: child.pid as number,
    ended: outputOf(child),
    /** The ids of programs that run, once there are so many. */
    async pids(count: number): Promise<readonly number[]> {
      await expect.poll(found).toHaveLength(count);
      return found();
    },
  };
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that nothing has waited for has ended, too.
    return !stateOf(pid).startsWith("Z");
  } catch {
    return false;
  }
}

const stateOf = (pid: number) => execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
const linesWith = (word: string, text: string) =>
  text
    .split("\n")
    .filter((line) => line.endsWith(word))
    .sort();

it.skipIf(process.platform !== "linux")("a program that nothing has waited for does not run", async () => {
  // The first `sh` becomes `sleep`, which does not wait for the second one.
  const child = spawn("sh", ["-c", "setsid sh -c 'echo $$; exit' & exec sleep 600"], { detached: true });
  started.push(child);
  const [bytes] = await once(child.stdout, "data");
  const pid = Number(bytes);
  await expect.poll(() => stateOf(pid)).toMatch(/^Z/);
  expect(isTreeRunning(pid)).toBe(false);
  // Its own group is the one of the first `sh`.
  expect(isTreeRunning(child.pid as number)).toBe(true);
});

describe.skipIf(process.platform === "win32")("launch", () => {
  it("ends programs that wrappers have started, and lets them save", async () => {
    const path = program(saving("SIGTERM"));
    const { child, ended, pids } = launch("-n", "2", ...wrapper(path));
    const running = await pids(2);
    child.kill("SIGTERM");
    const { code, out, error } = await ended;
    expect({ code, error }).toEqual({ code: 143, error: "[launch] SIGTERM: the processes have 10 s to end\n" });
    expect(linesWith("saved", out)).toEqual(["[0] saved", "[1] saved"]);
    expect(running.filter(runs)).toEqual([]);
  });

  it("kills programs that wrappers have started after the grace", async () => {
    const path = program(`process.on("SIGTERM", () => {}); ${endless}`);
    const { child, ended, pids } = launch("-n", "2", "--grace", "1", ...wrapper(path));
    const running = await pids(2);
    child.kill("SIGTERM");
    await ended;
    expect(running.filter(runs)).toEqual([]);
  });

  it("starts a group again whose wrapped program is frozen", async () => {
    const path = program(`
      if (process.env.TORCHELASTIC_RESTART_COUNT === "1") process.exit();
      if (process.env.RANK === "1") process.kill(process.pid, "SIGSTOP");
      setTimeout(() => process.exit(7), 500);`);
    const { code, error } = await launch("-n", "2", "--grace", "1", "--restarts", "1", ...wrapper(path)).ended;
    expect(code).toBe(0);
    expect(error).toBe(
      "[launch] rank 0 has ended with exit code 7: the others are ended\n[launch] restart 1 of 1, with 2 processes\n",
    );
  });

  it("ends the others if one fails, though its own programs and the ones of the others run on", async () => {
    const path = program(`
      spawn("sleep", ["600"], { stdio: "inherit" });
      if (process.env.RANK === "1") process.exit(3);
      ${endless}`);
    const { code, error } = await launch("-n", "2", ...wrapper(path)).ended;
    expect({ code, error }).toEqual({
      code: 3,
      error: "[launch] rank 1 has ended with exit code 3: the others are ended\n",
    });
  });

  it("ends with its processes, and writes all that they have printed, though a daemon has their outputs", async () => {
    const path = program(`
      import { writeSync } from "node:fs";
      const daemon = spawn("sleep", ["600"], { stdio: "inherit", detached: true });
      daemon.unref();
      console.log("runs", daemon.pid);
      for (let i = 0; i < 20000; i++) writeSync(1, "line " + i + "\\n");
      writeSync(2, "the last line");
      process.exit();`);
    const { ended, pids } = launch("-n", "1", path);
    const { code, out, error } = await ended;
    const [, daemon] = await pids(2);
    process.kill(daemon as number);
    expect({ code, error }).toEqual({ code: 0, error: "[0] the last line\n" });
    const lines = Array.from({ length: 20000 }, (_, i) => `[0] line ${i}\n`).join("");
    expect(out.endsWith(lines)).toBe(true);
  });

  it("sends Ctrl-C of a terminal once to each program, and starts nothing again", async () => {
    const path = program(saving("SIGINT"));
    const { pid, ended, pids } = launch("-n", "2", "--restarts", "1", path);
    await pids(2);
    process.kill(-pid, "SIGINT");
    const { code, out, error } = await ended;
    expect({ code, error }).toEqual({ code: 0, error: "[launch] SIGINT: the processes have 10 s to end\n" });
    expect(linesWith("saved", out)).toEqual(["[0] saved", "[1] saved"]);
  });

  it("ends at once by another Ctrl-C, a second later", async () => {
    const path = program(`process.on("SIGINT", () => {}); ${endless}`);
    const { pid, ended, pids } = launch("-n", "2", "--grace", "2000000", path);
    const running = await pids(2);
    process.kill(-pid, "SIGINT");
    await wait(1100);
    expect(running.every(runs)).toBe(true);
    process.kill(-pid, "SIGINT");
    expect((await ended).code).toBe(130);
    await expect.poll(() => running.filter(runs)).toEqual([]);
  });

  it("ends its processes if it is killed itself", async () => {
    const path = program(`process.on("SIGTERM", () => {}); ${endless}`);
    const { child, pids } = launch("-n", "2", "--grace", "1", ...wrapper(path));
    const running = await pids(2);
    child.kill("SIGKILL");
    await expect.poll(() => running.filter(runs)).toEqual([]);
  });

  it("ends its processes if its output is closed", async () => {
    const path = program(`setInterval(() => console.log("line"), 10);`);
    const { child, ended, pids } = launch("-n", "2", path);
    const running = await pids(2);
    child.stdout.destroy();
    const { code, error } = await ended;
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringMatching(/^stepwell: ERR_FILE: stdout: write EPIPE/),
    });
    expect(running.filter(runs)).toEqual([]);
  });

  it("suspends its processes with itself, and lets them go on", async () => {
    const path = program(saving("SIGTERM"));
    const { child, pid, ended, pids } = launch("-n", "2", path);
    const all = [pid, ...(await pids(2))];
    const suspended = () => all.filter((one) => stateOf(one).startsWith("T"));
    child.kill("SIGTSTP");
    await expect.poll(suspended).toEqual(all);
    child.kill("SIGCONT");
    await expect.poll(suspended).toEqual([]);
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  });
});
