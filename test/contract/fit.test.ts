import * as k from "@stepwell/sdk";
import { type FitEvent, type FitOptions, Model, Module, optimizer, schedules, Tensor } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

afterEach(() => k.free());

/** Points of a plane, and the side of a line that they are on. */
const inputs = Array.from({ length: 50 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const targets = inputs.map(([x = 0, y = 0]) => (x + y > 0 ? 1 : 0));
const data = { inputs, targets };

function model(builder: Pick<k.OptimizerBuilder<"adam">, "build"> = optimizer("adam").lr(0.05)): Model {
  k.seed(5);
  const m = Module.of(k.seq("sequential", ["linear", "a", 2, 8], "tanh", ["linear", "b", 8, 2]));
  return new Model(m, "ce", builder.build(m));
}

async function eventsOf(model: Model, options: FitOptions): Promise<readonly FitEvent[]> {
  const events: FitEvent[] = [];
  for await (const event of model.fit(data, options)) events.push(event);
  return events;
}

const stateOf = ({ module, optimizer }: Model) => ({
  module: module.state(),
  buffers: optimizer.state().parms.map((row) => row.buffers),
});

it("tells of steps, epochs and the end, and learns", async () => {
  const trained = model();
  const before = trained.measure(data, { batchSize: 16 });
  const validation = { ...data, batchSize: 16 };
  const events = await eventsOf(trained, { epochs: 30, batchSize: 16, shuffle: true, validation });
  const steps = events.filter((event) => event.type === "step");
  expect(steps.map(({ epoch, step, steps }) => [epoch, step, steps])).toEqual(
    Array.from({ length: 120 }, (_, i) => [Math.floor(i / 4) + 1, i + 1, 120]),
  );
  const epochs = events.filter((event) => event.type === "epoch");
  expect(epochs.map((event) => event.epoch)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  expect(events.at(-1)).toEqual({ type: "done", reason: "finished" });
  const after = trained.measure(data, { batchSize: 16 });
  expect(epochs.at(-1)?.validation).toEqual(after);
  expect(after.loss).toBeLessThan(before.loss / 2);
  expect(after.accuracy).toBeGreaterThan(90);
});

describe.each(optimizers)("%s", (name) => {
  it("is trained as the functions train it, to the bit", async () => {
    const trained = model(optimizer(name) as never);
    await eventsOf(trained, { epochs: 2, batchSize: 20 });
    const byHand = model(optimizer(name) as never);
    const { handle } = byHand.optimizer;
    for (const from of [0, 20, 40, 0, 20, 40]) {
      k.step(handle, () => {
        k.zerograd(handle);
        const y = k.forward(byHand.module.handle, inputs.slice(from, from + 20));
        const loss = k.ce(y, targets.slice(from, from + 20));
        k.backward(loss);
        k.free(y);
        return loss;
      });
    }
    expect(stateOf(trained)).toEqual(stateOf(byHand));
  });
});

describe.each(optimizers)("%s", (name) => {
  const clips = [{ clipnorm: 0.01 }, { clipvalue: 0.001 }];
  it.each(clips)("is clipped by %o as `run` clips it, and by what `train` has set", async (clip) => {
    const options = { batchSize: 20 };
    const trained = model(optimizer(name) as never);
    await eventsOf(trained, { ...options, ...clip });
    const unclipped = model(optimizer(name) as never);
    await eventsOf(unclipped, options);
    if (name !== "lamb") expect(stateOf(trained)).not.toEqual(stateOf(unclipped));

    const run = model(optimizer(name) as never);
    k.train(run.handle, { batchsize: 20, ...clip });
    k.train(run.handle, inputs, targets);
    k.run(run.handle);
    expect(stateOf(trained)).toEqual(stateOf(run));

    const set = model(optimizer(name) as never);
    k.train(set.handle, { batchsize: 20, ...clip });
    await eventsOf(set, {});
    expect(stateOf(set)).toEqual(stateOf(run));
  });
});

describe("what `train` has set", () => {
  const steps = async (trained: Model, options: FitOptions = {}) =>
    (await eventsOf(trained, options)).filter((event) => event.type === "step").length;

  it("counts where fit has no option of its own", async () => {
    const trained = model();
    expect(await steps(trained)).toBe(2);
    k.train(trained.handle, { batchsize: 20 });
    expect(await steps(trained)).toBe(3);
    expect(await steps(trained, { batchSize: 10 })).toBe(5);
    k.train(trained.handle, { droplast: true });
    const events = await eventsOf(trained, { epochs: 2 });
    expect(events.map((event) => event.type)).toEqual(["step", "step", "epoch", "step", "step", "epoch", "done"]);
    expect(events[0]).toMatchObject({ steps: 4 });
    const message = expectError("ERR_SHAPE", () => trained.fit(data, { batchSize: 51 }));
    expect(message).toBe("fit: expected at least one batch, given too few samples for one");
  });

  it("gives way to the other kind of clipping, and to null", async () => {
    const trained = async (set: k.TrainOptions, options: FitOptions) => {
      const trained = model();
      k.train(trained.handle, set);
      await eventsOf(trained, options);
      return stateOf(trained);
    };
    const byValue = await trained({}, { clipvalue: 0.001 });
    const byNorm = await trained({}, { clipnorm: 0.01 });
    expect(byNorm).not.toEqual(byValue);
    expect(await trained({ clipnorm: 0.01 }, { clipvalue: 0.001 })).toEqual(byValue);
    expect(await trained({ clipnorm: 0.01 }, { clipvalue: null })).toEqual(byNorm);
    expect(await trained({ clipnorm: 0.01 }, { clipnorm: null })).toEqual(await trained({}, {}));
  });

  it("decides what becomes of a step that is not finite", async () => {
    const trained = model();
    k.train(trained.handle, { nonfinite: "error" });
    const broken = { inputs: [[Number.NaN, 1]], targets: [0] };
    await expect(trained.fit(broken)).rejects.toMatchObject({ code: "ERR_GRADIENT" });
    const before = stateOf(trained);
    for await (const _ of trained.fit(broken, { nonfinite: "skip" }));
    expect(stateOf(trained)).toEqual(before);
  });
});

it("weighs each row the same, and counts a batch once however often L-BFGS evaluates it", async () => {
  const trained = model(optimizer("lbfgs") as never);
  expect(trained.measure(data, { batchSize: 48 }).loss).toBeCloseTo(trained.measure(data, { batchSize: 50 }).loss, 6);
  const before = trained.measure(data, { batchSize: 50 });
  const [step, epoch] = await eventsOf(trained, { batchSize: 50 });
  expect(step).toMatchObject({ type: "step", loss: expect.closeTo(before.loss, 6) });
  expect(epoch).toMatchObject({ type: "epoch", loss: expect.closeTo(before.loss, 6), accuracy: before.accuracy });
});

it("has each row once in an epoch, in an order that the seed decides", async () => {
  const runs = [];
  for (const seed of [7, 7, 8]) {
    const trained = model();
    k.seed(seed);
    runs.push(await eventsOf(trained, { batchSize: 8, shuffle: true }));
  }
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[2]).not.toEqual(runs[0]);
});

it("leaves no handle behind, whichever way it ends", async () => {
  const trained = model();
  const given = { inputs: Tensor.of(inputs), targets: Tensor.of(targets, "long") };
  const handles = k.handlecount();
  await eventsOf(trained, { validation: data });
  for await (const event of trained.fit(given, { batchSize: 4, validation: given })) {
    // The training has a model of its own.
    expect(k.handlecount()).toBe(handles + 1);
    if (event.type === "step" && event.step === 3) break;
  }
  expect(k.handlecount()).toBe(handles);
  await eventsOf(trained, { signal: AbortSignal.abort() });
  // Class 2 of two fails in the middle of a step.
  await expect(trained.fit({ inputs, targets: targets.map(() => 2) })).rejects.toBeInstanceOf(k.StepwellError);
  expect(k.handlecount()).toBe(handles);
  trained[Symbol.dispose]();
  trained[Symbol.dispose]();
  expect(k.handlecount()).toBe(handles - 2);
});

it("stops after a whole step when it is aborted", async () => {
  const controller = new AbortController();
  const aborted = model();
  const events: FitEvent[] = [];
  for await (const event of aborted.fit(data, { batchSize: 10, signal: controller.signal })) {
    events.push(event);
    if (event.type === "step" && event.step === 2) controller.abort();
  }
  expect(events.map((event) => event.type)).toEqual(["step", "step", "done"]);
  expect(events.at(-1)).toEqual({ type: "done", reason: "aborted" });

  const broken = model();
  for await (const event of broken.fit(data, { batchSize: 10 })) {
    if (event.type === "step" && event.step === 2) break;
  }
  expect(stateOf(aborted)).toEqual(stateOf(broken));

  const never = model();
  const before = stateOf(never);
  expect(await eventsOf(never, { signal: AbortSignal.abort() })).toEqual([{ type: "done", reason: "aborted" }]);
  expect(stateOf(never)).toEqual(before);
});

it("lets timers run, and a signal of time end it", async () => {
  const controller = new AbortController();
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    if (ticks === 20) controller.abort();
  }, 1);
  // Unless timers get a turn, it would go on for hours.
  for (const signal of [controller.signal, AbortSignal.timeout(20)]) {
    const events = await eventsOf(model(), { epochs: 1_000_000, batchSize: 1, signal });
    expect(events.at(-1)).toEqual({ type: "done", reason: "aborted" });
  }
  clearInterval(timer);
  expect(ticks).toBeGreaterThanOrEqual(20);
});

it("advances the schedule with each step or each epoch", async () => {
  const builder = optimizer("adam")
    .lr(1)
    .schedule(schedules.exponential({ gamma: 0.5 }));
  const rateAfter = async (advance?: "step" | "epoch") => {
    const trained = model(builder);
    await eventsOf(trained, { batchSize: 25, epochs: 3, ...(advance && { advance }) });
    return trained.optimizer.lr;
  };
  expect(await rateAfter()).toEqual([0.5 ** 6]);
  expect(await rateAfter("step")).toEqual([0.5 ** 6]);
  expect(await rateAfter("epoch")).toEqual([0.5 ** 3]);
});

it("takes every loss", async () => {
  const losses = ["mse", "l1", "smoothl1", "bcewithlogits", "huber", "softmargin", "multisoft"] as const;
  const pairs = { inputs, targets: targets.map((target) => [target, 1 - target]) };
  for (const loss of losses) {
    const { module, optimizer } = model();
    const events = [];
    for await (const event of new Model(module, loss, optimizer).fit(pairs, { validation: pairs })) events.push(event);
    expect(events.map((event) => event.type)).toEqual(["step", "step", "epoch", "done"]);
    expect(events[2]).not.toHaveProperty("accuracy");
  }
});

it("gives plain numbers the type that is needed, and leaves tensors theirs", async () => {
  const double = model();
  double.module.to("double");
  expect((await eventsOf(double, { validation: data })).at(-1)?.type).toBe("done");
  const float = double.fit({ inputs: Tensor.of(inputs, "float"), targets });
  await expect(float).rejects.toBeInstanceOf(k.StepwellError);
  const m = Module.of(k.seq("sequential", ["embedding", 3, 2]));
  const words = new Model(m, "ce", optimizer("sgd").build(m));
  expect(words.measure({ inputs: [0, 1, 2], targets: [0, 1, 1] })).toHaveProperty("accuracy");
});

it("hears a signal before and during the validation", async () => {
  for (const turns of [1, 3]) {
    const controller = new AbortController();
    const trained = model();
    const handles = k.handlecount();
    const types = [];
    const options = { batchSize: 10, validation: { ...data, batchSize: 10 }, signal: controller.signal };
    for await (const event of trained.fit(data, options)) {
      types.push(event.type === "done" ? event.reason : event.type);
      if (event.type !== "step" || event.step < 5) continue;
      let left = turns;
      const count = () => (--left === 0 ? controller.abort() : setImmediate(count));
      setImmediate(count);
    }
    expect(types).toEqual(["step", "step", "step", "step", "step", "aborted"]);
    expect(k.handlecount()).toBe(handles);
  }
});

it("refuses what is wrong at once", () => {
  const trained = model();
  for (const epochs of [0, Number.NaN]) expectError("ERR_ARGUMENT", () => trained.fit(data, { epochs }));
  for (const batchSize of [1.5, "8" as never]) expectError("ERR_OPTION_TYPE", () => trained.fit(data, { batchSize }));
  for (const wrong of [undefined, null, 7]) expectError("ERR_ARGUMENT", () => trained.fit(wrong as never));
  for (const wrong of [null, 7]) expectError("ERR_ARGUMENT", () => trained.fit(data, wrong as never));
  expectError("ERR_UNKNOWN_NAME", () => new Model(trained.module, "free" as never, trained.optimizer));
  expectError("ERR_SHAPE", () => trained.fit({ inputs, targets: [1] }));
  expectError("ERR_SHAPE", () => trained.fit({ inputs: [], targets: [] }));
  expectError("ERR_SHAPE", () => trained.fit({ inputs: 1, targets: 1 }));
});
