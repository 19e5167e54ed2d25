// `stepwell launch`, from the packed tarballs.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { installed, type Project } from "./installed.js";

let project: Project;
beforeAll(() => {
  project = installed();
});
afterAll(() => project.remove());

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
  const { status, stdout, stderr } = project.run(["launch", "-n", "3", "--port", "29777", path, "--", "--epochs", "2"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const lines = [0, 1, 2].map((rank) => `[${rank}] ${rank} ${rank} 3 127.0.0.1 29777 --epochs 2`);
  expect(stdout.trim().split("\n").sort()).toEqual(lines);
});

it("ends the others if one fails", () => {
  const path = program(`
    if (process.env.RANK === "1") process.exit(3);
    setInterval(() => {}, 1000);
  `);
  const { status, stderr } = project.run(["launch", "-n", "3", path]);
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
  expect(project.run(["launch", "-n", "2", "--grace", "1", path]).status).toBe(128 + 9);
});

it("refuses a program that does not start, and no processes", () => {
  expect(project.run(["launch", "-n", "2", "./absent"])).toMatchObject({ status: 2 });
  expect(project.run(["launch", "-n", "0", "x.mjs"])).toMatchObject({ status: 2 });
  expect(project.run(["launch", "x.mjs"])).toMatchObject({ status: 2 });
});
