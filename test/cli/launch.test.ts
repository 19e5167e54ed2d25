// `stepwell launch`, from the packed tarballs.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installed, type Project } from "./installed.js";

let project: Project;
beforeAll(() => {
  project = installed();
});
afterAll(() => project.remove());

/** Runs `launch` with one thread for each process, whatever the number of cores. */
const launch = (...args: readonly string[]) => project.run(["launch", ...args], "", { OMP_NUM_THREADS: "1" });

function program(text: string): string {
  const path = join(project.folder, "program.mjs");
  writeFileSync(path, text);
  return path;
}

it("gives each process its rank and its arguments", () => {
  const path = program(`
    const { RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT } = process.env;
    console.log(RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT, ...process.argv.slice(2));
  `);
  const { status, stdout, stderr } = launch("-n", "3", "--port", "29777", path, "--", "--epochs", "2");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const lines = [0, 1, 2].map((rank) => `[${rank}] ${rank} ${rank} 3 127.0.0.1 29777 --epochs 2`);
  expect(stdout.trim().split("\n").sort()).toEqual(lines);
});

/** The variables that `launch` sets for rank 0, with variables of its own. */
function variables(size: number, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const path = program("if (process.env.RANK === '0') console.log(JSON.stringify(process.env));");
  const { OMP_NUM_THREADS: _, ...env } = project.environment();
  const { status, stdout } = spawnSync(process.execPath, [project.program, "launch", "-n", String(size), path], {
    env: { ...env, ...own },
    encoding: "utf8",
  });
  expect(status).toBe(0);
  const all = Object.entries(JSON.parse(stdout.replace("[0] ", "")) as NodeJS.ProcessEnv);
  return Object.fromEntries(all.filter(([name, value]) => env[name] !== value));
}

it("sets the variables of the guide, and none of a torchrun that has started it", () => {
  const guide = readFileSync(join(import.meta.dirname, "../../docs/guides/command-line.md"), "utf8");
  const section = guide.split("\n## ").find((text) => text.startsWith("`launch")) ?? "";
  const listed = [...section.matchAll(/^\| (`[A-Z].*?) \|/gm)].flatMap(([, cell = ""]) => cell.match(/[A-Z_]+/g));
  const torchrun = {
    TORCHELASTIC_USE_AGENT_STORE: "True",
    TORCHELASTIC_ERROR_FILE: "/tmp/error.json",
    TORCHELASTIC_RUN_ID: "none",
    MASTER_ADDR: "10.0.0.1",
    GROUP_RANK: "3",
  };
  const found = variables(2, torchrun);
  expect(Object.keys(found).sort()).toEqual(listed.sort());
  expect(found).toMatchObject({
    ...{ MASTER_ADDR: "127.0.0.1", GROUP_RANK: "0", TORCHELASTIC_USE_AGENT_STORE: "False", OMP_NUM_THREADS: "1" },
    TORCHELASTIC_RUN_ID: expect.stringMatching(/^[\da-f-]{36}$/),
  });
  expect(variables(1, {})).not.toHaveProperty("OMP_NUM_THREADS");
  expect(variables(2, { OMP_NUM_THREADS: "3" })).toMatchObject({ OMP_NUM_THREADS: "3" });
});

it("says how many threads would use all cores, if one for each process does not", () => {
  const run = (size: number) =>
    project.run(["launch", "-n", String(size), program("")], "", { OMP_NUM_THREADS: undefined });
  const threads = Math.floor(availableParallelism() / 2);
  const line = `[launch] OMP_NUM_THREADS=1 for each process, as with torchrun; ${threads} would use all cores\n`;
  expect(run(2).stderr).toBe(threads > 1 ? line : "");
  expect(run(availableParallelism() + 1).stderr).toBe("");
});

it("ends the others if one fails", () => {
  const path = program(`
    if (process.env.RANK === "1") process.exit(3);
    setInterval(() => {}, 1000);
  `);
  const { status, stderr } = launch("-n", "3", path);
  expect(status).toBe(3);
  expect(stderr).toBe("[launch] rank 1 has ended with exit code 3: the others are ended\n");
});

it("kills a process that does not end", () => {
  const path = program(`
    process.on("SIGTERM", () => {});
    console.log("ready");
    if (process.env.RANK === "1") setTimeout(() => process.kill(process.pid, "SIGKILL"), 500);
    setInterval(() => {}, 1000);
  `);
  expect(launch("-n", "2", "--grace", "1", path).status).toBe(128 + 9);
});

it("starts the group again, with one process less if so told", () => {
  const path = program(`
    const { RANK, WORLD_SIZE, TORCHELASTIC_RESTART_COUNT, TORCHELASTIC_MAX_RESTARTS } = process.env;
    console.log(WORLD_SIZE, TORCHELASTIC_RESTART_COUNT, TORCHELASTIC_MAX_RESTARTS);
    // The last rank of three and of two is killed; other ranks wait for a signal.
    if (Number(WORLD_SIZE) === Number(process.argv[2])) process.exit();
    if (Number(RANK) === WORLD_SIZE - 1) process.kill(process.pid, "SIGKILL");
    setInterval(() => {}, 1000);
  `);
  const run = (...args: string[]) => launch("-n", "3", "--restarts", "2", ...args);
  const { status, stdout, stderr } = run("--min-processes", "1", path, "1");
  expect(status).toBe(0);
  // Others may end before they print.
  expect(stdout.trim().split("\n")).toContain("[0] 1 2 2");
  expect(stderr.split("\n")).toEqual([
    "[launch] rank 2 has ended with exit code 137: the others are ended",
    "[launch] restart 1 of 2, with 2 processes",
    "[launch] rank 1 has ended with exit code 137: the others are ended",
    "[launch] restart 2 of 2, with 1 process",
    "",
  ]);
  // All of them, until there are no restarts.
  const all = run(path, "1");
  expect(all.status).toBe(137);
  expect(all.stderr.match(/with 3 processes/g)).toHaveLength(2);
  expect(run("--min-processes", "4", path)).toMatchObject({ status: 2 });
});

it.each([
  ["no process", ["-n", "0", "x.mjs"]],
  ["too many processes", ["-n", "1025", "x.mjs"]],
  ["a port that does not exist", ["-n", "1", "--port", "99999", "x.mjs"]],
  ["an empty program", ["-n", "1", ""]],
])("refuses %s", (_, args) => {
  const { status, stderr } = launch(...args);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/xpected a (whole number|program)/) });
});

it("forwards a signal, after which nothing starts again", async () => {
  const path = program(`
    process.on("SIGTERM", () => process.exit(5));
    console.log("ready");
    setInterval(() => {}, 1000);
  `);
  const args = [project.program, "launch", "-n", "2", "--restarts", "9", path];
  const child = spawn(process.execPath, args, { cwd: project.folder, env: project.environment() });
  let out = "";
  for await (const text of child.stdout.setEncoding("utf8")) {
    out += text;
    if (out === "[0] ready\n[1] ready\n" || out === "[1] ready\n[0] ready\n") child.kill("SIGTERM");
  }
  const [code] = child.exitCode === null ? await once(child, "close") : [child.exitCode];
  expect({ code, lines: out.split("\n").length }).toEqual({ code: 5, lines: 3 });
});

it("needs a number of processes", () => {
  const { status, stderr } = launch("x.mjs");
  expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining("--processes") });
});

it.each([
  ["a program that is absent", ["./absent"], "ERR_ARGUMENT: launch: ./absent does not start: there is no such program"],
  ["a file that is absent", ["absent.mjs"], "ERR_FILE: absent.mjs: there is no such file or folder"],
  [
    "fewer processes after restarts without restarts",
    ["--min-processes", "1", "program.mjs"],
    "ERR_USAGE: --min-processes is given without --restarts",
  ],
])("refuses %s, in one line", (_, args, message) => {
  program("");
  const { status, stdout, stderr } = launch("-n", "2", ...args);
  expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: "", stderr: `stepwell: ${message}\n` });
});

describe("a file of TypeScript", () => {
  const run = (env: NodeJS.ProcessEnv) => {
    writeFileSync(
      join(project.folder, "typed.ts"),
      "const rank: string | undefined = process.env.RANK;\nconsole.log(rank);",
    );
    return project.run(["launch", "-n", "2", "typed.ts"], "", { OMP_NUM_THREADS: "1", ...env });
  };

  it.skipIf("typescript" in process.features && process.features.typescript)(
    "is refused, with the remedy, by a Node that does not run it",
    () => {
      const { status, stdout, stderr } = run({});
      const node = `Node ${process.versions.node} does not run TypeScript: use Node 22.18 or newer`;
      expect({ status, stdout, stderr }).toEqual({
        status: 2,
        stdout: "",
        stderr: `stepwell: ERR_ARGUMENT: launch: typed.ts: ${node}, or install tsx and run: stepwell launch -n 2 node -- --import tsx typed.ts\n`,
      });
    },
  );

  it("runs with a module of NODE_OPTIONS that compiles it", () => {
    const { status, stdout } = run({ NODE_OPTIONS: "--import jiti/register" });
    expect({ status, lines: stdout.trim().split("\n").sort() }).toEqual({ status: 0, lines: ["[0] 0", "[1] 1"] });
  });
});
