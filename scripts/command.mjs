// Functions that run other programs, for the scripts of this folder.

import { spawn, spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { failure } from "../packages/native/libtorch.js";

export const root = resolve(import.meta.dirname, "..");

// npm and the programs in node_modules/.bin are .cmd files on Windows, which only a shell can start.
const shell = process.platform === "win32";

/** The path of a program of an npm package that a project of the workspace depends on. */
export function bin(name, project = ".") {
  return join(root, project, "node_modules", ".bin", shell ? `${name}.cmd` : name);
}

/** The environment for Cargo, without LIBTORCH variables: they would override the path in .cargo/config.toml. */
export function cargoEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("LIBTORCH")));
}

/** The standard output of a program, trimmed; undefined if it fails or does not exist. */
export function outputOf(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
    ...options,
  });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * Runs a program to its end; rejects if it fails. Its standard output goes to the terminal. With `capture` it is the result
 * instead; with `quiet` it goes to stderr, so that our stdout has only the requested output.
 */
export function run(command, args, { env = process.env, capture = false, quiet = false } = {}) {
  const stdout = capture ? "pipe" : quiet ? process.stderr : "inherit";
  return new Promise((fulfil, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env,
      stdio: ["inherit", stdout, "inherit"],
      shell: shell && !capture,
    });
    const said = `"${[command, ...args].join(" ").replaceAll(`${root}/`, "")}"`;
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    child.on("error", (error) => reject(failure("ERR_COMMAND", `${said} cannot be started: ${error.message}.`)));
    child.on("close", (status, signal) => {
      if (status === 0) fulfil(output);
      else
        reject(
          Object.assign(failure("ERR_COMMAND", `${said} ended with ${signal ?? `exit code ${status}`}.`), { status }),
        );
    });
  });
}

/** The frame of every script: a failure that we foresaw is one sentence, any other shows where it happened. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(`stepwell: ${error.code ? error.message : error.stack}`);
    process.exitCode = error.status || 1;
  }
}
