// `stepwell launch`: starts a program in several processes of one machine, which form a process group.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { CommandError, exitCodes } from "../command-error.js";
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
  /** In seconds: how long processes may take to end by themselves after SIGTERM, before they are killed. */
  readonly grace: number;
}

/** Signals to this process that go to all of its children. */
const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a program of JavaScript, or an executable, in each process with the variables that `torchrun` sets. Lines of the output begin
 * with the rank. If one process fails, the others are ended, and the group may start again.
 *
 * @returns the exit code of the first process that failed in the last group; 0 if none did
 */
export async function launch(
  program: string,
  args: readonly string[],
  { processes, restarts, minProcesses, port, grace }: LaunchArguments,
  streams: Environment,
): Promise<number> {
  if (program === "") {
    throw new CommandError("ERR_ARGUMENT", "launch: expected a program, given an empty text", exitCodes.invalid);
  }
  if (minProcesses !== undefined && minProcesses > processes) {
    const message = `launch: --min-processes: expected at most ${processes}, given ${minProcesses}`;
    throw new CommandError("ERR_ARGUMENT", message, exitCodes.invalid);
  }
  const isScript = /\.[cm]?[jt]s$/.test(program);
  const [command, rest] = isScript ? [process.execPath, [program, ...args]] : [program, args];
  let isStopped = false;
  let stop = (_: NodeJS.Signals) => {};
  const forward = forwarded.map((signal) => {
    const listener = () => {
      isStopped = true;
      stop(signal);
    };
    return [signal, listener] as const;
  });
  for (const [signal, listener] of forward) process.on(signal, listener);
  try {
    for (let restart = 0, size = processes; ; restart++) {
      const meeting = port ?? (await freePort());
      const shared = {
        WORLD_SIZE: String(size),
        LOCAL_WORLD_SIZE: String(size),
        MASTER_ADDR: "127.0.0.1",
        MASTER_PORT: String(meeting),
        TORCHELASTIC_RESTART_COUNT: String(restart),
        TORCHELASTIC_MAX_RESTARTS: String(restarts),
      };
      const children = Array.from({ length: size }, (_, rank) => {
        const own = { RANK: String(rank), LOCAL_RANK: String(rank) };
        const child = spawn(command, rest, {
          env: { ...process.env, ...shared, ...own },
          stdio: ["ignore", "pipe", "pipe"],
        });
        copyLines(child, rank, streams.stdout, streams.stderr);
        return child;
      });
      stop = ending(children, grace);
      const code = await endOfGroup(children, program, stop, streams.stderr);
      if (code === 0 || isStopped || restart === restarts) return code;
      size = minProcesses === undefined ? size : Math.max(minProcesses, size - 1);
      const count = size === 1 ? "1 process" : `${size} processes`;
      streams.stderr.write(`[launch] restart ${restart + 1} of ${restarts}, with ${count}\n`);
    }
  } finally {
    for (const [signal, listener] of forward) process.off(signal, listener);
  }
}

/** Waits for all processes, and ends them if one fails. Returns the exit code of the first that failed; 0 if none did. */
async function endOfGroup(
  children: readonly ChildProcess[],
  program: string,
  stop: (signal: NodeJS.Signals) => void,
  stderr: OutputStream,
): Promise<number> {
  let failed = 0;
  try {
    await Promise.all(
      children.map(async (child, rank) => {
        const code = await endOf(child, program);
        if (code === 0 || failed !== 0) return;
        failed = code;
        stderr.write(`[launch] rank ${rank} has ended with exit code ${code}: the others are ended\n`);
        stop("SIGTERM");
      }),
    );
    return failed;
  } finally {
    stop("SIGKILL");
  }
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

/** A function that sends a signal to all processes that run, and kills them if they have not ended in time. */
function ending(children: readonly ChildProcess[], grace: number): (signal: NodeJS.Signals) => void {
  const send = (signal: NodeJS.Signals) => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  };
  return (signal) => {
    send(signal);
    setTimeout(() => send("SIGKILL"), grace * 1000).unref();
  };
}

/** The exit code of a process, as a shell has it: 128 and the number of the signal that has ended it. */
async function endOf(child: ChildProcess, program: string): Promise<number> {
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on("close", (code, signal) => resolve([code, signal]));
    child.on("error", (error) => {
      reject(
        new CommandError("ERR_ARGUMENT", `launch: ${program} does not start: ${error.message}`, exitCodes.invalid),
      );
    });
  });
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

/** Copies the output of a process, line by line, with its rank in front. */
function copyLines({ stdout, stderr }: ChildProcess, rank: number, out: OutputStream, error: OutputStream): void {
  for (const [from, to] of [
    [stdout, out],
    [stderr, error],
  ] as const) {
    if (from) createInterface({ input: from }).on("line", (line) => to.write(`[${rank}] ${line}\n`));
  }
}
