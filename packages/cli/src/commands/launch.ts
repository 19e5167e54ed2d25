// `stepwell launch`: starts a program in several processes of one machine, which form a process group.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { CommandError, exitCodes } from "../command-error.js";
import type { Environment, OutputStream } from "../output/environment.js";

export interface LaunchArguments {
  /** The number of processes. */
  readonly processes: number;
  /** The TCP port where they meet; undefined for a free one. */
  readonly port?: number;
  /** In seconds: how long processes may take to end by themselves after SIGTERM, before they are killed. */
  readonly grace: number;
}

/** Signals to this process that go to all of its children. */
const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a program of JavaScript, or an executable, in each process with the variables that `torchrun` sets. Lines of the output begin
 * with the rank. If one process fails, the others are ended.
 *
 * @returns the exit code of the first process that failed; 0 if none did
 */
export async function launch(
  program: string,
  args: readonly string[],
  { processes, port, grace }: LaunchArguments,
  { stdout, stderr }: Environment,
): Promise<number> {
  const meeting = port ?? (await freePort());
  const isScript = /\.[cm]?[jt]s$/.test(program);
  const [command, rest] = isScript ? [process.execPath, [program, ...args]] : [program, args];
  const children = Array.from({ length: processes }, (_, rank) => {
    const child = spawn(command, rest, {
      env: {
        ...process.env,
        RANK: String(rank),
        LOCAL_RANK: String(rank),
        WORLD_SIZE: String(processes),
        LOCAL_WORLD_SIZE: String(processes),
        MASTER_ADDR: "127.0.0.1",
        MASTER_PORT: String(meeting),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    copyLines(child, rank, stdout, stderr);
    return child;
  });
  const stop = ending(children, grace);
  const forward = forwarded.map((signal) => [signal, () => stop(signal)] as const);
  for (const [signal, listener] of forward) process.on(signal, listener);
  try {
    let failed = 0;
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
    for (const [signal, listener] of forward) process.off(signal, listener);
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
