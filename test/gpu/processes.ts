// The child processes of the parts. Each has a time limit, and one that ends early loses only the file that it was running.

import { type ChildProcess, fork } from "node:child_process";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Part } from "./parts.js";
import type { Failure, PartResult } from "./results.js";
import type { Report } from "./suite.js";

/** The longest wait for one test, in milliseconds. It ends a call that never returns, and leaves time for the files after it. */
const testLimit = 45_000;

interface Progress {
  passed: number;
  skipped: number;
  readonly failures: Failure[];
}

/** Runs the files of a part on a device, in one process as long as that lives. */
export async function runTests(part: Part, device: string, milliseconds: number): Promise<PartResult> {
  const start = performance.now();
  const progress: Progress = { passed: 0, skipped: 0, failures: [] };
  let files = part.files ?? [];
  while (files.length > 0) {
    const left = milliseconds - (performance.now() - start);
    if (left <= 0) {
      progress.failures.push({ message: `time limit: ${files.map((file) => basename(file)).join(", ")} did not run` });
      break;
    }
    files = await runFiles(files, device, left, progress);
  }
  return resultOf(part, start, progress);
}

export function resultOf(part: Part, start: number, progress: Progress, text?: string): PartResult {
  const { name, about } = part;
  const seconds = (performance.now() - start) / 1000;
  // A benchmark without time for a single case has not failed, and its text says so.
  const done = progress.passed + (part.files === undefined ? progress.skipped : 0);
  const state = progress.failures.length === 0 && done > 0 ? "passed" : "failed";
  return { name, about, state, seconds, ...progress, ...(text !== undefined && { text }) };
}

/** Runs files in one process until it ends; returns the files that it did not start. */
async function runFiles(files: readonly string[], device: string, milliseconds: number, progress: Progress) {
  const suite = fileURLToPath(new URL("suite.js", import.meta.url));
  const child = fork(suite, [device, ...files], {
    execArgv: ["--expose-gc"],
    env: { ...process.env, STEPWELL_ENGINE: "native" },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let started = 0;
  let lastTest: string | undefined;
  let stopped: string | undefined;
  const stop = (reason: string) => {
    stopped = reason;
    child.kill("SIGKILL");
  };
  const partTimer = setTimeout(() => stop("time limit of the part"), milliseconds);
  let testTimer: NodeJS.Timeout | undefined;
  child.on("message", (report: Report) => {
    clearTimeout(testTimer);
    testTimer = setTimeout(() => stop("time limit of a test"), testLimit);
    if ("unusable" in report) {
      progress.failures.push({ message: report.unusable });
      started = files.length;
    } else if ("file" in report) {
      started++;
      lastTest = undefined;
    } else if (report.state === "failed") {
      lastTest = report.test;
      const file = basename(files[started - 1] ?? "");
      progress.failures.push({ file, test: report.test, message: report.message ?? "" });
    } else {
      lastTest = report.test;
      progress[report.state]++;
    }
  });
  const { how, errors } = await endOf(child);
  clearTimeout(partTimer);
  clearTimeout(testTimer);
  if (how !== undefined || stopped !== undefined) {
    const after = lastTest === undefined ? "before its first test ended" : `after "${lastTest}"`;
    const file = basename(files[Math.max(started - 1, 0)] ?? "");
    const reason = stopped ?? `the process ended with ${how}${errors ? `: ${errors}` : ""}`;
    progress.failures.push({ file, message: `${reason}, ${after}` });
    // A process that cannot even start a file would fail again for each of them.
    if (started === 0) return [];
  }
  return stopped === "time limit of the part" && started < files.length ? [] : files.slice(started);
}

/** The end of a process: undefined after a normal one, otherwise its signal or exit code, with the reason on its error output. */
export function endOf(child: ChildProcess): Promise<{ readonly how: string | undefined; readonly errors: string }> {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (more: string) => {
    text = (text + more).slice(-2000);
  });
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ how: error.message, errors: "" }));
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      const how = code === 0 ? undefined : (signal ?? `exit code ${code}`);
      resolve({ how, errors: reasonIn(text) });
      // A pipe that another process holds open would keep this one from ending.
      child.stderr?.destroy();
    };
    child.on("close", end);
    // A process that a test has started may hold the pipe of errors open for longer.
    child.on("exit", (code, signal) => setTimeout(end, 2000, code, signal).unref());
  });
}

/** The message of the last error in an error output, without the source and stack around it; else the last lines. */
export function reasonIn(text: string): string {
  const error = text.match(/^\w*(?:Error|ERR_\w+)(?: \[\w+\])?: .*$/gm)?.at(-1);
  return error ?? text.trim().split("\n").slice(-3).join(" ");
}
