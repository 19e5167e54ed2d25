// Programs in a process of their own, for tests of things that a process has once: memory, garbage collector, threads.

import { execFile } from "node:child_process";
import { engine } from "@stepwell/sdk";

/** The entry of the SDK for the engine that is tested. */
export const sdk = import.meta.resolve(engine === "wasm" ? "@stepwell/sdk/wasm" : "@stepwell/sdk");

/**
 * Runs a module, which has the SDK as `k`, and returns the value that it gives to `post`. `before` runs before the SDK is
 * loaded.
 */
export function runInProcess(
  program: string,
  before = "",
  flags: readonly string[] = ["--expose-gc"],
): Promise<unknown> {
  const head = `${before};\nconst k = await import(${JSON.stringify(sdk)});
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const codeOf = (call) => { try { call(); } catch (error) { return error.code ?? String(error); } };
    const post = (value) => console.log("posted " + JSON.stringify(value));`;
  const args = [...flags, "--input-type=module", "--eval", `${head}\n${program}`];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const posted = /^posted (.*)$/m.exec(stdout)?.[1];
      if (error || posted === undefined)
        reject(new Error(`${error?.message ?? "nothing was posted"}\n${stdout}\n${stderr}`));
      else resolve(JSON.parse(posted));
    });
  });
}
