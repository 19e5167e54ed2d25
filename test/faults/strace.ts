// System calls of a program between two marks, and faults in them, by strace.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

/** Paths that a program looks for before and after what is traced. Neither exists. */
export const marks = ["/stepwell-begins", "/stepwell-ends"] as const;

/** A call of a program, by its place among the calls of that name in its thread. */
export interface Call {
  readonly name: string;
  readonly ordinal: number;
  readonly text: string;
}

/** Calls that change nothing outside of the process, and calls of idle threads. */
const noise =
  "!futex,mmap,munmap,mprotect,madvise,brk,mremap,epoll_wait,epoll_pwait,clock_nanosleep,getpid,gettid,sched_yield," +
  "rt_sigaction,rt_sigprocmask,rt_sigreturn,sched_getaffinity,getrandom,clone,clone3,exit,set_robust_list,rseq,sigaltstack,prctl";

/** The reason why calls cannot be traced here. */
export function straceProblem(): string | undefined {
  const { error, status, stderr } = spawnSync("strace", ["-o", "/dev/null", "-e", "inject=sync:error=EIO", "true"], {
    encoding: "utf8",
  });
  if (error) return "strace is not installed";
  return status === 0 ? undefined : `strace does not trace here: ${stderr.trim().split("\n")[0]}`;
}

export interface Trace {
  /** Waits until the program has passed the second mark, or has ended. */
  readonly passed: () => Promise<void>;
  /** Lets the program go, and returns the lines of the trace. */
  readonly detach: () => Promise<readonly string[]>;
}

/** Attaches to all threads of a process. */
export async function attach(pid: number, args: readonly string[]): Promise<Trace> {
  const folder = mkdtempSync(join(tmpdir(), "stepwell-strace-"));
  const file = join(folder, "trace");
  const child = spawn("strace", ["-f", "-o", file, "-p", String(pid), ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  const errors: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      errors.push(line);
      if (/attached/.test(line)) resolve();
    });
    child.on("close", () => reject(new Error(`strace has not attached: ${errors.join(" ")}`)));
  });
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  return {
    passed: async () => {
      while (!hasEnded && !readFileSync(file, "utf8").includes(marks[1])) await setTimeout(2);
    },
    detach: async () => {
      child.kill("SIGINT");
      await ended;
      const lines = readFileSync(file, "utf8").split("\n");
      rmSync(folder, { recursive: true });
      return lines;
    },
  };
}

/** Attaches for a list of all calls. */
export const attachToList = (pid: number): Promise<Trace> => attach(pid, ["-e", `trace=${noise}`]);

/** Attaches with a fault in a call: `signal=KILL`, or `error=EIO`. `forever` repeats it in all later calls of that name. */
export const attachToInject = (pid: number, { name, ordinal }: Call, fault: string, forever = false): Promise<Trace> =>
  attach(pid, ["-e", `trace=${name},access`, "-e", `inject=${name}:${fault}:when=${ordinal}${forever ? "+" : ""}`]);

/** The calls between the marks. */
export function callsBetween(lines: readonly string[]): readonly Call[] {
  const counts = new Map<string, number>();
  const calls: Call[] = [];
  let inside = false;
  for (const line of lines) {
    const [, thread, name = "", rest = ""] = /^(\d+)\s+(\w+)\((.*)$/.exec(line) ?? [];
    if (thread === undefined) continue;
    const key = `${thread} ${name}`;
    const ordinal = (counts.get(key) ?? 0) + 1;
    counts.set(key, ordinal);
    if (rest.includes(marks[1])) return calls;
    if (inside) calls.push({ name, ordinal, text: `${name}(${rest.slice(0, 100)}` });
    if (rest.includes(marks[0])) inside = true;
  }
  throw new Error("the trace has no marks");
}

/** Whether a fault came between the marks. */
export function wasBetween(lines: readonly string[], pattern: RegExp): boolean {
  const begin = lines.findIndex((line) => line.includes(marks[0]));
  const end = lines.findIndex((line) => line.includes(marks[1]));
  const found = lines.findIndex((line, i) => i > begin && pattern.test(line));
  return begin >= 0 && found > begin && (end < 0 || found < end);
}
