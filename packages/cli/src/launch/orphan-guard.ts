// A guard of the processes of `launch`: it ends them if `launch` itself is killed, which can do nothing then.

import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { firstOfTree } from "./process-tree.js";
import type { RankProcess } from "./rank-process.js";

/** The program that waits for the end of `launch`. */
const program = fileURLToPath(new URL("../commands/launch-guard.js", import.meta.url));

/** The guard of a launch. On Windows the system does its work. */
export class OrphanGuard {
  readonly #input: Socket | undefined;

  /** Starts a guard, which gives processes `grace` seconds to end. */
  constructor(grace: number) {
    // Node has put its children into a job, which ends with it.
    if (process.platform === "win32") return;
    const child = spawn(process.execPath, [program, String(grace)], {
      ...firstOfTree,
      stdio: ["pipe", "ignore", "ignore"],
    });
    // Without a guard the processes are started all the same.
    child.on("error", () => {}).unref();
    this.#input = (child.stdin ?? undefined) as Socket | undefined;
    this.#input?.on("error", () => {}).unref();
  }

  /** Guards a process and the programs that it starts, until they have ended. */
  guard({ pid, ended }: RankProcess): void {
    if (pid === undefined) return;
    this.#input?.write(`+${pid}\n`);
    ended.then(() => this.#input?.write(`-${pid}\n`));
  }
}
