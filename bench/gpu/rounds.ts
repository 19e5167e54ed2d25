// The timings of a case on a GPU. The contenders take turns in each round, so that all meet the same clocks and temperatures.

import { availableParallelism } from "node:os";
import { Child } from "../child.js";
import { type Figure, figure } from "../figures.js";
import { bytesOf, type GpuCase } from "./cases.js";
import { contenders, copy, type GpuContender, python } from "./contenders.js";

export interface GpuRow {
  readonly name: string;
  readonly microseconds: Figure;
  /** Time relative to Stepwell's in the same round. */
  readonly ratio: Figure;
  /** Bytes per second relative to the copy in the same round; large cases only. */
  readonly share?: Figure;
  /** Time of the calls relative to the time until the device has finished. */
  readonly called: Figure;
}

export interface GpuResult {
  readonly id: string;
  readonly large: boolean;
  readonly rounds: number;
  /** Gigabytes per second of the copy on the device. */
  readonly copied?: Figure;
  readonly rows: readonly GpuRow[];
  readonly absent: readonly { readonly name: string; readonly reason: string }[];
  /** The contenders of 32 bits whose parameters differ from Stepwell's after the same steps. */
  readonly different: readonly string[];
}

interface Runner {
  readonly contender: GpuContender;
  readonly child: Child;
  readonly steps: number;
  readonly rounds: Map<
    number,
    { readonly called: number; readonly finished: number; readonly copied: number | undefined }
  >;
}

/** In milliseconds, the work of a turn. */
const turn = 30;
const mostSteps = 300;
const leastRounds = 3;
const mostRounds = 15;
/** Steps after which all must agree. */
const checked = 3;

/** Processes by the name of their contender, or the reason why one cannot run. */
export class Processes {
  readonly #children = new Map<string, Child | string>();

  async of({ name, program, implementation }: GpuContender): Promise<Child | string> {
    const known = this.#children.get(name);
    if (known !== undefined) return known;
    const command = { command: program.command, args: [...program.args, implementation] };
    const started = await Child.start(name, command, availableParallelism()).catch(
      () =>
        `${program.command} ${program.args.join(" ")} does not start${program === python ? ": has it torch 2.11?" : ""}`,
    );
    this.#children.set(name, started);
    return started;
  }

  /** Ends a process that does not answer any more; the next case starts it again. */
  discard({ name }: GpuContender): void {
    const child = this.#children.get(name);
    if (typeof child === "object") child.end();
    this.#children.delete(name);
  }

  end(): void {
    for (const child of this.#children.values()) if (typeof child === "object") child.end();
  }

  /** Ends processes that may be at work. */
  kill(): void {
    for (const child of this.#children.values()) if (typeof child === "object") child.kill();
  }
}

/** Starts all processes at once, since the start of Python's takes seconds. */
export async function startAll(processes: Processes): Promise<void> {
  await Promise.all([...contenders, copy].map((contender) => processes.of(contender)));
}

export async function runCase(one: GpuCase, device: string, seconds: number, processes: Processes): Promise<GpuResult> {
  const absent: { name: string; reason: string }[] = [];
  const different: string[] = [];
  const runners: Runner[] = [];
  const yardstick = one.large ? await ready(copy, one, device, processes) : undefined;
  if (typeof yardstick === "string") absent.push({ name: copy.name, reason: yardstick });
  const copying = typeof yardstick === "object" ? { child: yardstick, bytes: await yardstick.check() } : undefined;
  let expected: number | undefined;
  for (const contender of contenders) {
    const child = await ready(contender, one, device, processes);
    if (typeof child === "string") {
      absent.push({ name: contender.name, reason: child });
      continue;
    }
    try {
      await child.stepOnDevice(checked);
      const sum = await child.check();
      expected ??= sum;
      if (one.dtype === "float" && !(Math.abs(sum - expected) <= 2e-3 * Math.abs(expected)))
        different.push(contender.name);
      const { finished } = await child.stepOnDevice(checked);
      const steps = Math.min(mostSteps, Math.max(2, Math.round((turn * 1e6 * checked) / finished)));
      runners.push({ contender, child, steps, rounds: new Map() });
    } catch (error) {
      processes.discard(contender);
      absent.push({ name: contender.name, reason: messageOf(error) });
    }
  }
  const rounds = await takeTurns(runners, copying, seconds);
  for (const child of [...runners.map((runner) => runner.child), ...(copying ? [copying.child] : [])])
    await child.drop();
  const copied = runners.flatMap((runner) => [...runner.rounds.values()].flatMap(({ copied }) => copied ?? []));
  return {
    id: one.id,
    large: one.large,
    rounds,
    ...(copied.length > 0 && { copied: figure(copied) }),
    rows: runners.map((runner) => row(runner, runners[0] as Runner, one)),
    absent,
    different,
  };
}

/** The process of a contender with the tensors of a case; otherwise the reason why it does not take part. */
async function ready(contender: GpuContender, one: GpuCase, device: string, processes: Processes) {
  const child = await processes.of(contender);
  if (typeof child === "string") return child;
  const { optimizer, options } = one.optimizer;
  const { implementation } = contender;
  try {
    await child.make({ do: "make", implementation, optimizer, options, shapes: one.shapes, device, dtype: one.dtype });
    // A first step, since some refuse it only there.
    await child.stepOnDevice(1);
    await child.make({ do: "make", implementation, optimizer, options, shapes: one.shapes, device, dtype: one.dtype });
    return child;
  } catch (error) {
    const reason = messageOf(error);
    if (/ended too early/.test(reason)) processes.discard(contender);
    return reason;
  }
}

async function takeTurns(
  runners: readonly Runner[],
  copying: { child: Child; bytes: number } | undefined,
  seconds: number,
) {
  const end = performance.now() + seconds * 1000;
  let round = 0;
  while (runners.length > 0 && (round < leastRounds || (round < mostRounds && performance.now() < end))) {
    for (const { child, steps, rounds } of runners) {
      await copying?.child.stepOnDevice(1);
      const copies = await copying?.child.stepOnDevice(4);
      await child.stepOnDevice(Math.ceil(steps / 10));
      const { called, finished } = await child.stepOnDevice(steps);
      // Bytes per nanosecond are gigabytes per second.
      rounds.set(round, { called, finished, copied: copies && copying && (4 * copying.bytes) / copies.finished });
    }
    round++;
  }
  return round;
}

function row({ contender, steps, rounds }: Runner, first: Runner, one: GpuCase): GpuRow {
  const all = [...rounds.values()];
  const bytes = bytesOf(one, contender.ours);
  const shares = all.flatMap(({ finished, copied }) => (copied ? (bytes * steps) / finished / copied : []));
  const firstTime = (round: number) => (first.rounds.get(round)?.finished ?? Number.NaN) / first.steps;
  return {
    name: contender.name,
    microseconds: figure(all.map(({ finished }) => finished / steps / 1000)),
    ratio: figure([...rounds].map(([round, { finished }]) => finished / steps / firstTime(round))),
    ...(shares.length > 0 && { share: figure(shares) }),
    called: figure(all.map(({ called, finished }) => called / finished)),
  };
}

/** The message without the name of the contender, which `Child` puts in front. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const name = [...contenders, copy].map((one) => `${one.name}: `).find((start) => message.startsWith(start));
  return name ? message.slice(name.length) : message;
}
