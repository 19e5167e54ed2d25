// Processes of one group, each with the variables that torchrun sets.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { freePort } from "./free-port.js";
import { type ChildOutput, outputOf } from "./output-of-child.js";

/** In milliseconds: a process that takes longer hangs. */
const limit = 240_000;

export interface Rank {
  readonly pid: number;
  /** Has printed something, or has ended. */
  readonly ready: Promise<unknown>;
  /** The output of the process, once it has ended. */
  readonly ended: Promise<ChildOutput>;
}

/** Starts a program in several processes. */
export async function launchProgram(path: string, size: number, config: unknown): Promise<readonly Rank[]> {
  const port = await freePort();
  return Array.from({ length: size }, (_, rank) => {
    const child = spawn(process.execPath, [path, JSON.stringify(config)], {
      env: {
        ...process.env,
        STEPWELL_ENGINE: "native",
        RANK: String(rank),
        LOCAL_RANK: String(rank),
        WORLD_SIZE: String(size),
        MASTER_ADDR: "127.0.0.1",
        MASTER_PORT: String(port),
      },
    });
    const ready = Promise.race([once(child.stdout, "data"), once(child, "close")]);
    const timer = setTimeout(() => child.kill("SIGKILL"), limit);
    const ended = outputOf(child).finally(() => clearTimeout(timer));
    return { pid: child.pid ?? 0, ready, ended };
  });
}
