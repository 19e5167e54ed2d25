// The timings of a case. Its entrants take turns within each round, so that whatever else the machine does meets all alike.

import { freemem } from "node:os";
import { setTimeout } from "node:timers/promises";
import { type Case, type Entrant, streamed } from "./cases.js";
import type { Child } from "./child.js";
import { stream } from "./contenders.js";
import { figure } from "./figures.js";
import { count } from "./numbers.js";
import type { Pool } from "./pool.js";
import type { Result, Row } from "./results.js";

const leastRounds = 7;
const mostRounds = 40;
/** Steps after which all must agree. */
const checked = 3;
/** Free memory that making an entrant takes: for each byte that a step moves. */
const headroom = 2;

interface Runner {
  readonly entrant: Entrant;
  readonly child: Child;
  readonly steps: number;
  /** The parameters after its first steps. */
  readonly sum: number;
  /** Whether it sits out two of three rounds, because its steps alone take longer than the turns of several others. */
  readonly slow: boolean;
  /** By round. */
  readonly times: Map<number, number>;
  readonly faults: number[];
  /** Shares of the stream's bytes per second. */
  readonly shares: number[];
}

/** Runs a case; says on the way who is left out and why. */
export async function run(one: Case, pool: Pool): Promise<Result> {
  const left: Result["skipped"][number][] = [];
  const runners: Runner[] = [];
  const yardstick = one.yardstick ? await startYardstick(one.threads, pool) : undefined;
  try {
    for (const entrant of one.entrants) {
      const inUse = runners.map(({ child }) => child);
      if (typeof yardstick === "object") inUse.push(yardstick);
      const reason = await enter(entrant, one, pool, runners, inUse);
      if (reason !== undefined) left.push({ label: entrant.label, reason });
    }
    if (typeof yardstick === "string") left.push({ label: "memory stream", reason: yardstick });
    if (runners[0]?.entrant !== one.entrants[0]) {
      throw new Error(`${one.id} has nothing to compare with: ${left[0]?.reason}`);
    }
    const rounds = await takeTurns(one, runners, typeof yardstick === "object" ? yardstick : undefined);
    return { id: one.id, date: new Date().toISOString().slice(0, 10), rounds, rows: rows(one, runners), skipped: left };
  } finally {
    for (const { child } of runners) await child.drop();
    if (typeof yardstick === "object") await yardstick.drop();
  }
}

async function startYardstick(threads: number, pool: Pool): Promise<Child | string> {
  const child = await pool.take(stream, threads);
  if (typeof child === "string") return child;
  const { shapes } = streamed;
  await child.make({ do: "make", implementation: "", optimizer: "stream", options: {}, shapes });
  await child.step(2);
  return child;
}

/** Makes an entrant ready, or says why not. */
async function enter(
  entrant: Entrant,
  one: Case,
  pool: Pool,
  runners: Runner[],
  inUse: readonly Child[],
): Promise<string | undefined> {
  const { contender, request, bytes, label, same } = entrant;
  const refusal = contender.refuses?.(request);
  if (refusal !== undefined) return refusal;
  if (freemem() < headroom * bytes) await pool.endIdle(inUse);
  if (freemem() < headroom * bytes) return "too little memory is free";
  const child = await pool.take(contender, one.threads, inUse);
  if (typeof child === "string") return child;

  let runner: Runner;
  try {
    await child.make(request);
    await child.step(checked);
    const sum = await child.check();
    const { microseconds } = await child.step(1);
    const steps = Math.min(5000, Math.max(1, Math.round((one.turn * 1000) / microseconds)));
    const slow = microseconds > 3000 * one.turn;
    runner = { entrant, child, steps, sum, slow, times: new Map(), faults: [], shares: [] };
  } catch (error) {
    pool.discard(child);
    return error instanceof Error ? error.message : String(error);
  }
  const leader = runners.find((other) => other.entrant.same);
  runners.push(runner);
  if (same && leader && !(Math.abs(runner.sum - leader.sum) <= 2e-3 * Math.abs(leader.sum))) {
    throw new Error(`${one.id}: after the same steps ${label} has ${runner.sum} where ${leader.sum} was expected.`);
  }
  return undefined;
}

async function takeTurns(one: Case, runners: readonly Runner[], yardstick: Child | undefined): Promise<number> {
  const end = performance.now() + one.seconds * 1000;
  let rounds = 0;
  while (rounds < leastRounds || (performance.now() < end && rounds < mostRounds)) {
    for (const { child, steps, slow, entrant, times, faults, shares } of runners) {
      if (slow && rounds % 3 > 0) continue;
      // Threads of libtorch spin for some milliseconds before they sleep.
      await setTimeout(10);
      await yardstick?.step(1);
      const streaming = await yardstick?.step(2);
      // Warm-up steps, since the program that ran before has filled the caches.
      const warmup = Math.ceil(steps / 10);
      if (!slow) await child.step(warmup);
      const turn = await child.step(steps);
      times.set(rounds, turn.microseconds);
      if (turn.faults !== undefined) faults.push(turn.faults / steps);
      if (streaming) {
        shares.push(entrant.bytes / turn.microseconds / (streamed.bytes / streaming.microseconds));
      }
    }
    rounds++;
  }
  return rounds;
}

function rows(one: Case, runners: readonly Runner[]): Row[] {
  return runners.map(({ entrant, times, faults, shares }, index) => {
    const all = [...times.values()];
    // By round: what it took, and what the first one took just before.
    const pairs = [...times].map(([round, time]) => [time, runners[0]?.times.get(round) ?? Number.NaN] as const);
    return {
      label: entrant.label,
      ...(entrant.request.do === "make" && { parameters: count(entrant.request.shapes) }),
      microseconds: figure(all),
      ...(index > 0 && { ratio: figure(pairs.map(([time, first]) => time / first)) }),
      ...(index > 0 && one.difference && { difference: figure(pairs.map(([time, first]) => time - first)) }),
      ...(shares.length > 0 && {
        share: figure(shares),
        gigabytes: figure(all.map((time) => entrant.bytes / time / 1000)),
      }),
      ...(faults.length > 0 && { faults: figure(faults) }),
    };
  });
}
