// The timings. What is compared takes turns within each round, so that whatever else the machine does meets all alike.

import { setTimeout } from "node:timers/promises";
import { binding } from "@stepwell/native";
import { data, free, handlecount, step } from "@stepwell/sdk";
import { Child } from "./child.js";
import { type Figure, figure, time } from "./figures.js";
import { count, demo, type Model, make, type OptimizerName, optimizers } from "./models.js";

export const rounds = 30;

/** tch with a number of threads: a step, and how many of ours fit into it. */
interface Rival {
  readonly threads: number;
  readonly step: Figure;
  /** The ratio of the medians, and the least and the largest ratio within a round. */
  readonly ratio: Figure;
}

export interface Comparison {
  readonly model: string;
  readonly tensors: number;
  readonly elements: number;
  readonly stepsPerRound: number;
  readonly stepwell: Figure;
  readonly tch: readonly Rival[];
}

/** Compares a step of our Adam with one of tch's, with one thread and with as many as libtorch wants. */
export async function compare(program: string, model: Model): Promise<Comparison> {
  const { parameters, optimizer } = make(model, "adam");
  const wanted = await Child.start(program, model);
  const children = wanted.threads === 1 ? [wanted] : [await Child.start(program, model, 1), wanted];
  // Threads of libtorch spin for some milliseconds before they sleep: so everyone waits for that. And what ran before
  // holds the caches: so some steps are made before those that count.
  const warmup = Math.ceil(model.steps / 10);

  const ours: number[] = [];
  const theirs: number[][] = children.map(() => []);
  for (let round = 0; round < rounds; round++) {
    await setTimeout(20);
    time(warmup, () => step(optimizer));
    ours.push(time(model.steps, () => step(optimizer)));
    for (const [index, child] of children.entries()) {
      await setTimeout(20);
      await child.step(warmup);
      theirs[index]?.push(await child.step(model.steps));
    }
  }

  const sum = parameters.map((tensor) => data(tensor).data).reduce((sum, values) => sum + absolute(values), 0);
  for (const child of children) {
    const other = await child.end();
    if (!(Math.abs(sum - other) <= 1e-3 * other)) {
      throw new Error(`After the same steps of "${model.name}" the parameters differ: ${sum} here, ${other} in tch.`);
    }
  }
  free(optimizer, ...parameters);

  const stepwell = figure(ours);
  const tch = children.map(({ threads }, index) => {
    const times = theirs[index] ?? [];
    const step = figure(times);
    const ratios = figure(times.map((time, round) => time / (ours[round] ?? Number.NaN)));
    return { threads, step, ratio: { ...ratios, median: step.median / stepwell.median } };
  });
  return {
    model: model.name,
    tensors: model.shapes.length,
    elements: count(model),
    stepsPerRound: model.steps,
    stepwell,
    tch,
  };
}

function absolute(values: Iterable<number | bigint>): number {
  let sum = 0;
  for (const value of values) sum += Math.abs(Number(value));
  return sum;
}

/** The cheapest call there is, and a step of each optimizer on the demo's model. */
export function timeOptimizers(): { call: Figure; optimizers: Record<OptimizerName, Figure> } {
  const steps = optimizers.map((name) => ({ name, ...make(demo, name), times: [] as number[] }));
  const calls: number[] = [];
  for (let round = 0; round < rounds; round++) {
    calls.push(time(10 * demo.steps, handlecount));
    for (const { optimizer, times } of steps) times.push(time(demo.steps, () => step(optimizer)));
  }
  free(...steps.flatMap(({ optimizer, parameters }) => [optimizer, ...parameters]));
  const figures = Object.fromEntries(steps.map(({ name, times }) => [name, figure(times)]));
  return { call: figure(calls), optimizers: figures as Record<OptimizerName, Figure> };
}

/** How often a step of our Adam calls the addon. */
export function countCalls(): number {
  const { parameters, optimizer } = make(demo, "adam");
  const addon = binding as Record<string, (...args: unknown[]) => unknown>;
  const functions = Object.entries(addon).filter(([, value]) => typeof value === "function");
  let calls = 0;
  for (const [name, call] of functions) {
    addon[name] = (...args) => {
      calls++;
      return call(...args);
    };
  }
  try {
    step(optimizer);
  } finally {
    Object.assign(addon, Object.fromEntries(functions));
  }
  free(optimizer, ...parameters);
  return calls;
}
