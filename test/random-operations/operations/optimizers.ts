import * as k from "@stepwell/sdk";
import { closureFor, type Outcome } from "../closures.js";
import { differenceOf, textOf } from "../images.js";
import { InvariantViolation } from "../invariants.js";
import type { Entry } from "../shadow.js";
import { isForSequence } from "../spoil.js";
import { optimizerNames, optimizerOptions, trainable } from "../values.js";
import type { World } from "../world.js";
import type { Operation, Operations } from "./operation.js";
import { expectSame, numbersOf } from "./tensors.js";

function stepOptions({ random }: World): readonly unknown[] {
  if (random.chance(0.6)) return [];
  const options: Record<string, unknown> = { zerograd: random.chance(0.5) };
  if (random.chance(0.4)) options[random.pick(["clipnorm", "clipvalue"])] = random.pick([1, 0.1, null]);
  return [options];
}

/** A step with a closure that may do anything, `another` operation too. */
function stepWithClosure(world: World, stepper: Entry, another: Operation): void {
  const outcome: Outcome = { calls: 0, returned: new Set() };
  const closure = closureFor(world, stepper, outcome, another);
  let failed: { readonly error: unknown } | undefined;
  try {
    world.call("step", stepper.handle, closure, ...stepOptions(world));
  } catch (error) {
    failed = { error };
  }
  for (const handle of outcome.returned) if (isFreed(handle)) world.shadow.drop(handle);
  if (failed && isForSequence(failed.error)) throw failed.error;
  const { thrown } = outcome;
  if (!thrown) return;
  if (isForSequence(thrown.error)) throw thrown.error;
  if (failed && Object.is(failed.error, thrown.error)) return;
  throw new InvariantViolation("step", "another error than the closure's", failed ? String(failed.error) : "none");
}

function isFreed(handle: k.AnyHandle): boolean {
  try {
    k.classof(handle);
    return false;
  } catch (error) {
    return (error as { code?: unknown }).code === "ERR_HANDLE_FREED";
  }
}

/** Operations on optimizers; closures make `another` operation of any kind. */
export const optimizerOperations = (another: Operation): Operations => ({
  opt: (world) => {
    const { random } = world;
    const object = world.any(...trainable);
    if (!object) return;
    const name = random.pick(optimizerNames);
    const options = optimizerOptions(world, name);
    if (random.chance(0.1)) world.call("opt", name, options);
    else world.call("opt", name, ...(random.chance(0.2) ? [0] : []), object.handle, options);
  },
  group: (world) => {
    const { random } = world;
    const [optimizer, object] = [world.any("optimizer"), world.any(...trainable)];
    if (optimizer && object) world.call("opt", optimizer.handle, random.int(3), object.handle, { lr: 0.05 });
  },
  step: (world) => {
    const stepper = world.any("optimizer", "model");
    if (!stepper) return;
    if (world.random.chance(0.5)) stepWithClosure(world, stepper, another);
    else world.call("step", stepper.handle, ...stepOptions(world));
  },
  "step of sgd": (world) => {
    const { random } = world;
    const length = 1 + random.int(4);
    const [values, gradient] = [0, 1].map(() => random.list(length, () => random.number())) as [number[], number[]];
    const lr = random.pick([0.1, 0.25, 1]);
    const tensor = world.call<k.TensorHandle>("tensor", values, "grad", "double");
    const optimizer = world.call<k.OptimizerHandle>("opt", "sgd", tensor, lr);
    world.call("grad", tensor, gradient);
    world.call("step", optimizer);
    const wanted = values.map((x, i) => x - lr * (gradient[i] ?? 0));
    expectSame("step", "another number than SGD's", numbersOf(tensor), wanted);
    if (random.chance(0.7)) world.call("free", optimizer, tensor);
  },
  state: (world) => {
    const { random } = world;
    const optimizer = world.any("optimizer");
    if (!optimizer) return;
    const state = world.call<k.State>("state", optimizer.handle, ...(random.chance(0.2) ? [random.chance(0.5)] : []));
    const container = world.call<k.ModuleHandle>("module", optimizer.handle);
    if (random.chance(0.2)) {
      const json = JSON.parse(JSON.stringify(state));
      world.call("opt", json, container);
    } else if (random.chance(0.3)) {
      world.call("opt", state, world.any("module")?.handle);
    } else {
      const again = world.call<k.OptimizerHandle>("opt", state, container);
      const [given, wanted] = [k.state(again), k.state(optimizer.handle as k.OptimizerHandle)].map(textOf);
      if (given !== wanted)
        throw new InvariantViolation("opt", "another state after a restore", differenceOf(wanted, given));
    }
  },
  definition: (world) => {
    const optimizer = world.any("optimizer", "model");
    if (optimizer)
      world.call("opt", optimizer.handle, ...(optimizer.kind === "model" ? [] : [world.random.chance(0.5)]));
  },
  lr: (world) => {
    const { random } = world;
    const optimizer = world.any("optimizer", "model")?.handle;
    if (!optimizer) return;
    const rate = random.pick([0, 0.01, 0.1]);
    world.call("lr", optimizer, rate);
    const found = world.call<readonly number[]>("lr", optimizer);
    expectSame("lr", "another rate", found, Array(found.length).fill(rate));
  },
  lossscale: (world) => {
    const { random } = world;
    const optimizer = world.any("optimizer", "model")?.handle;
    if (!optimizer) return;
    if (random.chance(0.3)) world.call("lossscale", optimizer);
    else world.call("lossscale", optimizer, random.pick([{ init: 8 }, { init: 4, interval: 1 }, null]));
  },
  "averages and back": (world) => {
    const { random } = world;
    const values = random.list(1 + random.int(3), () => random.number());
    const tensor = world.call<k.TensorHandle>("tensor", values, "grad", "double");
    const optimizer = world.call<k.OptimizerHandle>("opt", "sgd", tensor, { lr: 0.5, average: 0.5 });
    world.call("grad", tensor, values);
    world.call("step", optimizer);
    world.call("step", optimizer);
    // Two halvings, and the mean of their results, the first of which is where the average begins.
    world.call("average", optimizer);
    const averages = values.map((x) => (x - x / 2) * 0.5 + (x - x) * 0.5);
    expectSame("average", "another average", numbersOf(tensor), averages);
    world.call("average", optimizer);
    expectSame(
      "average",
      "other parameters",
      numbersOf(tensor),
      values.map(() => 0),
    );
    if (random.chance(0.7)) world.call("free", optimizer, tensor);
  },
  average: (world) => {
    const optimizer = world.any("optimizer", "model");
    if (optimizer) world.call("average", optimizer.handle);
  },
  "a step that may be left out, and is not": (world) => {
    const tensor = world.call<k.TensorHandle>("tensor", [1, 2], "grad", "double");
    const optimizer = world.call<k.OptimizerHandle>("opt", "sgd", tensor, { lr: 0.5 });
    world.call("grad", tensor, [1, 2]);
    world.call("step", optimizer, { nonfinite: "skip" });
    expectSame("step", "another parameter", numbersOf(tensor), [0.5, 1]);
    expectSame("skipped", "another count", [world.call<number>("skipped", optimizer)], [0]);
    world.call("free", optimizer, tensor);
  },
  skipped: (world) => {
    const optimizer = world.any("optimizer", "model");
    if (optimizer) world.call("skipped", optimizer.handle);
  },
  schedule: (world) => {
    const { random } = world;
    const optimizer = world.any("optimizer")?.handle;
    if (!optimizer) return;
    const { cosine, linear, step, warmup, chained, plateau, exponential } = k.schedules;
    const specifications = [
      ...[cosine({ steps: 5 }), linear({ steps: 3 }), step({ every: 2 }), plateau({}), null],
      ...[warmup({ steps: 2 }, cosine({ steps: 4 })), chained(exponential({ gamma: 0.9 }), linear({ steps: 2 }))],
    ];
    if (random.chance(0.7)) world.call("schedule", optimizer, random.pick(specifications));
    const state = world.call("schedule", optimizer);
    if (state && random.chance(0.5)) world.call("schedule", optimizer, state);
  },
  advance: (world) => {
    const optimizer = world.any("optimizer");
    if (optimizer)
      world.call("advance", optimizer.handle, ...(world.random.chance(0.5) ? [world.random.number()] : []));
  },
});
