// Trainings by `fit` that take turns, are left, aborted, and started with arguments of any kind; and `ready`.

import * as k from "@stepwell/sdk";
import { hostileValue } from "./hostile.js";
import { InvariantViolation, shown, violationOf } from "./invariants.js";
import { mix, Random } from "./random.js";
import type { Failure } from "./sequence.js";
import { nestedNumbers, optimizerNames } from "./values.js";
import { type Counts, World } from "./world.js";

/** Options that are sometimes given a value of any kind. */
const hostileOptions = [
  ...["epochs", "advance", "signal", "nonsense", "earlystop", "validation", "metrics", "accumulate", "nonfiniteloss"],
];

/** More events than any of these trainings has. */
const mostEvents = 200;

/** Runs a sequence of trainings. Nothing lives before and after. */
export async function runFitSequence(seed: number, counts: Counts): Promise<Failure | undefined> {
  k.free();
  const world = new World(new Random(mix(seed, 7)), counts, undefined);
  try {
    const models = world.random.list(2, () => modelOf(world));
    const live = k.handlecount();
    // Each goes on while the others wait for their next event.
    await Promise.all([...models, ...models].map((model) => train(world, model)));
    await attempt(world, "ready", () => k.ready(...(world.random.chance(0.5) ? [] : [hostileValue(world) as never])));
    if (k.handlecount() !== live) {
      throw new InvariantViolation("fit", "handles that stay", `${k.handlecount()} live where ${live} did`);
    }
    for (const model of models) model[Symbol.dispose]();
    if (k.handlecount() !== 0)
      throw new InvariantViolation("Symbol.dispose", "handles that stay", String(k.handlecount()));
    return undefined;
  } catch (error) {
    const [call, invariant] =
      error instanceof InvariantViolation ? [error.call, error.invariant] : ["fit", "an exception"];
    return { seed, places: [], call, invariant, message: `fit: ${shown(error)}` };
  } finally {
    k.free();
  }
}

function modelOf({ random }: World): k.Model {
  const module = k.Module.of(["linear", 2, 2]);
  const optimizer = k.optimizer(random.pick(optimizerNames)).lr(0.01).build(module);
  return new k.Model(module, random.pick(["mse", "ce"]), optimizer);
}

/** Makes a call that answers at once or later, and may be refused. */
async function attempt<Result>(world: World, name: string, call: () => Result): Promise<Awaited<Result> | undefined> {
  const count = (map: Map<string, number>) => map.set(name, (map.get(name) ?? 0) + 1);
  count(world.counts.calls);
  world.counts.operations += 1;
  try {
    const result = await call();
    count(world.counts.successes);
    return result;
  } catch (error) {
    if (error instanceof InvariantViolation) throw error;
    const violation = violationOf(error);
    if (violation) throw new InvariantViolation(name, violation.invariant, violation.details);
    return undefined;
  }
}

/** A source of the samples, which is sometimes broken. */
function sourceOf(world: World, inputs: readonly number[][], targets: readonly (number | number[])[]): unknown {
  const { random } = world;
  const samples: unknown[] = inputs.map((input, i) => [input, targets[i]]);
  if (random.chance(0.2)) samples.splice(random.int(5), 0, hostileValue(world));
  const half = (list: readonly unknown[]) => [list.slice(0, 3), list.slice(3)] as const;
  const batches = half(inputs).map((part, i) => ({ inputs: part, targets: half(targets)[i] }));
  const entry = random.pick([
    { samples },
    { batches },
    { samples: () => samples.values() },
    {
      samples: async function* () {
        for (const sample of samples) yield new Promise((resolve) => setImmediate(resolve, sample));
      },
    },
    { samples: hostileValue(world) },
    { samples: () => hostileValue(world) },
  ]);
  return { ...entry, ...(random.chance(0.3) ? { count: 4 + random.int(3) } : {}) };
}

async function train(world: World, model: k.Model): Promise<void> {
  const { random } = world;
  const inputs = nestedNumbers([5, 2], () => random.number());
  const targets = model.loss === "ce" ? [0, 1, 1, 0, 1] : inputs;
  const controller = new AbortController();
  const options: Record<string, unknown> = {
    epochs: 1 + random.int(2),
    batchSize: 1 + random.int(5),
    shuffle: random.chance(0.5),
    signal: controller.signal,
    ...(random.chance(0.3) ? { validation: { inputs, targets, batchsize: 2, every: 1 + random.int(2) } } : {}),
    ...(random.chance(0.3) ? { accumulate: 1 + random.int(3), droplast: random.chance(0.3) } : {}),
    ...(random.chance(0.3) ? { earlystop: { patience: 1, restorebest: random.chance(0.5) } } : {}),
    ...(random.chance(0.2) ? { [random.pick(hostileOptions)]: hostileValue(world) } : {}),
  };
  const isSource = random.chance(0.5);
  const source = () => sourceOf(world, inputs as readonly number[][], targets as readonly (number | number[])[]);
  const data = random.chance(0.2) ? hostileValue(world) : isSource ? source() : { inputs, targets };
  if (isSource && random.chance(0.5)) {
    const shuffle = random.pick([true, { buffer: 1 + random.int(6) }, { buffer: 3, seed: random.int(9) }]);
    Object.assign(options, { prefetch: random.int(4), shuffle });
  }
  const end = random.int(12);
  await attempt(world, "Model.fit", async () => {
    if (random.chance(0.3)) {
      const { epochs, steps } = await model.fit(data as k.FitData, options as k.FitOptions);
      if (epochs.length + steps > mostEvents)
        throw new InvariantViolation("fit", "a training without an end", JSON.stringify(options));
      return;
    }
    let events = 0;
    for await (const event of model.fit(data as k.FitData, options as k.FitOptions)) {
      events += 1;
      if (events > mostEvents)
        throw new InvariantViolation("fit", "a training without an end", JSON.stringify(options));
      if (event.type === "done") return;
      if (end === events) controller.abort();
      if (end === 2 * events) break;
    }
  });
}
