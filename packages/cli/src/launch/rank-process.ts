// A process of a group, with the programs that it starts and the lines that they print.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { CommandError, exitCodes } from "../command-error.js";
import type { LaunchedProgram } from "./launched-program.js";
import { LineCopy, type SharedOutput } from "./line-output.js";
import { firstOfTree, isTreeRunning, signalTree } from "./process-tree.js";

/** In milliseconds, between two looks whether programs run that a process has left. */
const LOOK = 50;

/** The program of a process, and its variables. */
export interface RankProgram extends LaunchedProgram {
  readonly env: NodeJS.ProcessEnv;
}

/** A process of a group, which has started. */
export class RankProcess {
  /** Its exit code, as a shell has it: 128 and the number of the signal that has ended it. Rejects if the program does not start. */
  readonly exit: Promise<number>;
  /** Nothing runs any more of the process and the programs that it has started, and their lines are written. Never rejects. */
  readonly ended: Promise<void>;
  readonly #pid: number | undefined;
  readonly #grace: number;
  readonly #copies: readonly LineCopy[];
  #killing: NodeJS.Timeout | undefined;
  #isKilled = false;
  #isGone = false;

  /** Starts a process, which has `grace` seconds to end after a signal. */
  constructor(
    { command, args, env }: RankProgram,
    rank: number,
    grace: number,
    stdout: SharedOutput,
    stderr: SharedOutput,
  ) {
    const child = start(command, args, env);
    this.#pid = child.pid;
    this.#grace = grace;
    const prefix = `[${rank}] `;
    // Without a free file descriptor a child has no streams.
    this.#copies = [
      ...(child.stdout ? [new LineCopy(child.stdout, stdout, prefix)] : []),
      ...(child.stderr ? [new LineCopy(child.stderr, stderr, prefix)] : []),
    ];
    this.exit = exitOf(child, command);
    this.ended = this.#end();
  }

  /** The id of the process and of its tree; undefined if it has not started, or if nothing of the tree runs any more. */
  get pid(): number | undefined {
    return this.#isGone ? undefined : this.#pid;
  }

  /** Sends a signal to the process and the programs that it has started. */
  signal(name: NodeJS.Signals): void {
    // Later, the id may be the one of another program.
    if (this.pid !== undefined) signalTree(this.pid, name);
  }

  /** Sends the signal that ends all of them, unless they have got one, and kills them after the grace. */
  end(name: NodeJS.Signals): void {
    if (this.pid === undefined || this.#killing !== undefined) return;
    this.signal(name);
    this.#killing = setTimeout(() => this.kill(), this.#grace * 1000);
  }

  /** Kills all of them. */
  kill(): void {
    this.signal("SIGKILL");
    this.#isKilled = true;
  }

  async #end(): Promise<void> {
    // A process that does not start has no programs.
    await this.exit.catch(() => {});
    while (this.#pid !== undefined && isTreeRunning(this.#pid)) {
      this.end("SIGTERM");
      if (this.#isKilled) break;
      await wait(LOOK);
    }
    this.#isGone = true;
    clearTimeout(this.#killing);
    await Promise.all(this.#copies.map((copy) => copy.complete()));
  }
}

function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  try {
    return spawn(command, args, { ...firstOfTree, env, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    // Arguments that are too long, or memory that is missing.
    throw startError(command, error);
  }
}

async function exitOf(child: ChildProcess, command: string): Promise<number> {
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal ? constants.signals[signal] : 0);
  } catch (error) {
    throw startError(command, error);
  }
}

function startError(command: string, error: unknown): CommandError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === "ENOENT" ? "there is no such program" : message;
  return new CommandError("ERR_ARGUMENT", `launch: ${command} does not start: ${reason}`, exitCodes.invalid);
}
