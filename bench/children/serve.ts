// The other side of child.ts, for contenders that run in Node.

import { createInterface } from "node:readline";
import type { Request } from "../child.js";

export interface Candidate {
  /** Makes steps. A returned number is the time in nanoseconds, instead of the measured one; a list is the whole answer. */
  step(steps: number): undefined | readonly number[] | Promise<number | undefined>;
  /** A checksum: equal for all contenders that made equal steps. */
  moved(): number | Promise<number>;
  free?(): void;
}

type Line =
  | Request
  | { readonly do: "step"; readonly steps: number }
  | { readonly do: "moved" }
  | { readonly do: "drop" };

/** Answers every line of the input until it ends. */
export async function serve(
  threads: number,
  make: (request: Request) => Candidate | Promise<Candidate>,
): Promise<void> {
  let candidate: Candidate | undefined;
  const made = () => {
    if (candidate === undefined) throw new Error("nothing was made");
    return candidate;
  };

  async function answer(line: Line): Promise<string> {
    switch (line.do) {
      case "step":
        return time(made(), line.steps);
      case "moved":
        return String(await made().moved());
      case "drop":
        candidate?.free?.();
        candidate = undefined;
        return "0";
      default:
        candidate = await make(line);
        if (threads === 1 && (line.do === "gpt" || line.do === "operations")) candidate = inProcessorTime(candidate);
        return "0";
    }
  }

  console.log(threads);
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      console.log(await answer(JSON.parse(line)));
    } catch (error) {
      console.log(reasonOf(error));
    }
  }
}

/** A candidate whose steps are timed in processor time of all its threads, which other programs on the machine hardly change. */
function inProcessorTime(candidate: Candidate): Candidate {
  return {
    ...candidate,
    async step(steps) {
      const start = process.cpuUsage();
      await candidate.step(steps);
      const { user, system } = process.cpuUsage(start);
      return 1000 * (user + system);
    },
  };
}

/** The message of an error on one line, with its code. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? `${error.code}: ` : "";
  return `${code}${error.message.replaceAll("\n", " ")}`;
}

/** Nanoseconds and page faults of some steps. */
async function time(candidate: Candidate, steps: number): Promise<string> {
  const faults = process.resourceUsage().minorPageFault;
  const start = process.hrtime.bigint();
  const running = candidate.step(steps);
  if (Array.isArray(running)) return running.join(" ");
  // A synchronous contender does not wait for a turn of the event loop.
  const counted = running === undefined ? undefined : await running;
  const nanoseconds = counted ?? Number(process.hrtime.bigint() - start);
  return `${nanoseconds} ${process.resourceUsage().minorPageFault - faults}`;
}
