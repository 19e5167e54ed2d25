// `stepwell launch`: starts a program in several processes of one machine, which form a process group.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { availableParallelism, constants } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { CommandError, exitCodes, fileError, usageError } from "../command-error.js";
import { onEndingSignals } from "../ending-signals.js";
import { type LaunchedProgram, launchedProgram } from "../launch/launched-program.js";
import { SharedOutput } from "../launch/line-output.js";
import { OrphanGuard } from "../launch/orphan-guard.js";
import { RankProcess } from "../launch/rank-process.js";
import { type RankPlace, rankVariables } from "../launch/rank-variables.js";
import type { Environment, OutputStream } from "../output/environment.js";

/** Arguments of `launch`. */
export interface LaunchArguments {
  /** The number of processes. */
  readonly processes: number;
  /** How often the group starts again after one of them has failed. */
  readonly restarts: number;
  /** Each restart has one process less, down to so many; undefined for all of them. */
  readonly minProcesses?: number;
  /** The TCP port where they meet; undefined for a free one. */
  readonly port?: number;
  /** In seconds: how long processes may take to end by themselves after a signal, before they are killed. */
  readonly grace: number;
}

/** In milliseconds: the message about a process that has failed waits so long for the last lines of the process. */
const LAST_LINES = 200;

/**
 * Runs a program of JavaScript, or an executable, in each process with the variables of `rankVariables`. Lines of the output begin
 * with the rank. If one process fails, the others are ended, and the group may start again. When a process has ended, the programs that it
 * has started are ended too.
 *
 * @returns the exit code of the first process that failed in the last group; 0 if none did
 */
export async function launch(
  program: string,
  args: readonly string[],
  given: LaunchArguments,
  { stdout, stderr }: Environment,
): Promise<number> {
  const { processes, restarts, minProcesses } = given;
  const command = launchedProgram(program, args);
  if (minProcesses !== undefined && minProcesses > processes) {
    const message = `launch: --min-processes: expected at most ${processes}, given ${minProcesses}`;
    throw new CommandError("ERR_ARGUMENT", message, exitCodes.invalid);
  }
  if (minProcesses !== undefined && restarts === 0) throw usageError("--min-processes is given without --restarts");
  const launch = new Launch(command, given, stdout, stderr);
  try {
    return await launch.run();
  } finally {
    launch.release();
  }
}

/** Groups of processes, one after the other. */
class Launch {
  readonly #command: LaunchedProgram;
  readonly #given: LaunchArguments;
  readonly #guard: OrphanGuard;
  readonly #stdout: SharedOutput;
  readonly #stderr: SharedOutput;
  readonly #listening: readonly (() => void)[];
  /** The processes of the present group. */
  #ranks: readonly RankProcess[] = [];
  /** A signal to `launch`, after which nothing starts again. */
  #signal: NodeJS.Signals | undefined;
  /** The error of stdout, after which nothing starts again. */
  #outputError: unknown;

  constructor(command: LaunchedProgram, given: LaunchArguments, stdout: OutputStream, stderr: OutputStream) {
    this.#command = command;
    this.#given = given;
    this.#guard = new OrphanGuard(given.grace);
    this.#stdout = new SharedOutput(stdout, (error) => {
      this.#outputError = error;
      for (const rank of this.#ranks) rank.end("SIGTERM");
    });
    this.#stderr = new SharedOutput(stderr);
    const stop = (name: NodeJS.Signals) => {
      this.#signal = name;
      this.#stderr.write(`[launch] ${name}: the processes have ${given.grace} s to end\n`);
      for (const rank of this.#ranks) rank.end(name);
    };
    const stopAtOnce = (name: NodeJS.Signals) => {
      for (const rank of this.#ranks) rank.kill();
      // Without waiting for the reader of the output.
      process.exit(exitOfSignal(name));
    };
    const suspended = onSuspension((name) => {
      for (const rank of this.#ranks) rank.signal(name);
    });
    this.#listening = [onEndingSignals(stop, stopAtOnce), suspended];
  }

  /** Stops listening to signals and outputs. */
  release(): void {
    for (const stop of this.#listening) stop();
    this.#stdout.release();
    this.#stderr.release();
  }

  /** Runs groups until one of them ends well, or may not start again. */
  async run(): Promise<number> {
    const { processes, restarts, minProcesses = processes } = this.#given;
    const env = this.#environment();
    const id = randomUUID();
    for (let restart = 0, size = processes; ; restart++) {
      const port = this.#given.port ?? (await freePort());
      const code = await this.#runGroup(env, { size, port, id, restart, restarts });
      if (this.#outputError !== undefined) throw failedOutput(this.#outputError);
      if (code === 0 || this.#signal !== undefined || restart === restarts) return code;
      size = Math.max(minProcesses, size - 1);
      const count = size === 1 ? "1 process" : `${size} processes`;
      await this.#stderr.write(`[launch] restart ${restart + 1} of ${restarts}, with ${count}\n`);
    }
  }

  /** The variables of `launch`, with one thread for each of several processes, unless they say another number. torchrun does so, too. */
  #environment(): NodeJS.ProcessEnv {
    const { env } = process;
    const { processes } = this.#given;
    if (processes === 1 || env.OMP_NUM_THREADS !== undefined) return env;
    const threads = Math.floor(availableParallelism() / processes);
    if (threads > 1) {
      const message = `OMP_NUM_THREADS=1 for each process, as with torchrun; ${threads} would use all cores`;
      this.#stderr.write(`[launch] ${message}\n`);
    }
    return { ...env, OMP_NUM_THREADS: "1" };
  }

  /** Runs one group to its end. Returns the exit code of the first process that failed; 0 if none did. */
  async #runGroup(env: NodeJS.ProcessEnv, place: Omit<RankPlace, "rank">): Promise<number> {
    // They came before the first process.
    if (this.#signal !== undefined) return exitOfSignal(this.#signal);
    if (this.#outputError !== undefined) return exitCodes.failed;
    const ranks: RankProcess[] = [];
    this.#ranks = ranks;
    try {
      for (let rank = 0; rank < place.size; rank++) {
        const program = { ...this.#command, env: rankVariables(env, { ...place, rank }) };
        const started = new RankProcess(program, rank, this.#given.grace, this.#stdout, this.#stderr);
        ranks.push(started);
        this.#guard.guard(started);
      }
      return await this.#firstFailure();
    } catch (error) {
      for (const rank of ranks) rank.kill();
      throw error;
    } finally {
      await Promise.all(ranks.map(({ ended }) => ended));
    }
  }

  /** Waits for the exit of all processes, and ends them if one fails. */
  async #firstFailure(): Promise<number> {
    let failed = 0;
    await Promise.all(
      this.#ranks.map(async ({ exit, ended }, rank) => {
        const code = await exit;
        if (code === 0 || failed !== 0) return;
        failed = code;
        if (this.#signal !== undefined || this.#outputError !== undefined) return;
        for (const other of this.#ranks) other.end("SIGTERM");
        await Promise.race([ended, wait(LAST_LINES, undefined, { ref: false })]);
        await this.#stderr.write(`[launch] rank ${rank} has ended with exit code ${code}: the others are ended\n`);
      }),
    );
    return failed;
  }
}

/** The exit code of a shell for a program that a signal has ended. */
const exitOfSignal = (name: NodeJS.Signals) => 128 + constants.signals[name];

function failedOutput(error: unknown): CommandError {
  const { code, message } = fileError("stdout", error);
  return new CommandError(code, message, exitCodes.failed);
}

/**
 * Calls a function with the signals that suspend processes and let them go on, when Ctrl-Z suspends `launch` and when it goes on. They have
 * process groups of their own, which a terminal does not reach. Returns a function that ends it.
 */
function onSuspension(signal: (name: NodeJS.Signals) => void): () => void {
  const suspend = () => {
    signal("SIGSTOP");
    process.kill(process.pid, "SIGSTOP");
  };
  const resume = () => signal("SIGCONT");
  process.on("SIGTSTP", suspend).on("SIGCONT", resume);
  return () => void process.off("SIGTSTP", suspend).off("SIGCONT", resume);
}

/** A port of this machine that no program uses now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}
