// Checked by `tsc -b test` and never run: a line that must not compile is marked, and a mark without an error is an error.

import { Readable } from "node:stream";
import {
  type BuilderOption,
  type Figures,
  type FitEvent,
  type FitHistory,
  Model,
  Module,
  module,
  Optimizer,
  type OptimizerBuilder,
  type OptimizerName,
  type OptionsOf,
  opt,
  optimizer,
  type Recipe,
  type Sample,
  type State,
  schedules,
  Tensor,
  type Training,
  type TrainingPosition,
} from "@stepwell/sdk";
import { expectTypeOf } from "vitest";

const m = Module.of(["linear", 2, 1]);
const sgd = optimizer("sgd");
const lamb = optimizer("lamb");
const lbfgs = optimizer("lbfgs");

// Each optimizer has its options and no others.
expectTypeOf(sgd).toHaveProperty("nesterov");
expectTypeOf(lamb).toHaveProperty("trustclip");
type Having<Option extends string> = {
  [Name in OptimizerName]: Option extends keyof OptimizerBuilder<Name> ? Name : never;
}[OptimizerName];
expectTypeOf<Having<"nesterov">>().toEqualTypeOf<"sgd">();
expectTypeOf<Having<"trustclip">>().toEqualTypeOf<"lamb">();
expectTypeOf<Having<"lr">>().toEqualTypeOf<OptimizerName>();
expectTypeOf<Having<"noDecay">>().toEqualTypeOf<Exclude<OptimizerName, "lbfgs">>();
expectTypeOf<BuilderOption<"sgd">>().toEqualTypeOf<keyof OptionsOf["sgd"]>();
// @ts-expect-error adamw has no nesterov
optimizer("adamw").nesterov();
// @ts-expect-error sgd has no trustclip
sgd.trustclip();
// @ts-expect-error no optimizer has this option
sgd.learningRate(0.1);
// @ts-expect-error lbfgs has no decay
lbfgs.noDecay(/bias/);
// @ts-expect-error there is no such optimizer
optimizer("adamm");

// A builder stays one of its optimizer.
expectTypeOf(sgd.lr(0.1).nesterov().group("a").schedule(schedules.linear()).fused(false).offload()).toEqualTypeOf(sgd);
expectTypeOf(sgd.build(m)).toEqualTypeOf<Optimizer>();
expectTypeOf(lamb.toJSON()).toEqualTypeOf<Recipe<"lamb">>();
expectTypeOf(optimizer.fromJSON(lamb.toJSON())).toEqualTypeOf(lamb);

// Values have the types of the options.
expectTypeOf(sgd.lr).parameters.toEqualTypeOf<[value: number]>();
expectTypeOf(sgd.nesterov).parameters.toEqualTypeOf<[value?: boolean | undefined]>();
expectTypeOf(lbfgs.search).parameters.toEqualTypeOf<[value: "strong_wolfe" | null]>();
expectTypeOf(optimizer("adam").betas).parameters.toEqualTypeOf<[value: readonly [number, number]]>();
// @ts-expect-error a number
sgd.lr("0.1");
// @ts-expect-error a number must be given
sgd.lr();
// @ts-expect-error a flag
sgd.nesterov(1);
// @ts-expect-error no such line search
lbfgs.search("armijo");
// @ts-expect-error a flag
sgd.fused("no");
// @ts-expect-error a flag
sgd.offload("no");
// @ts-expect-error not null
sgd.lr(null);

// A group sets options of the same optimizer.
sgd.group(/head/, (group) => group.lr(0.1).nesterov());
sgd.group(m, (group) => group.lr(0.1));
// @ts-expect-error no such option
sgd.group("head", (group) => group.trustclip());
// @ts-expect-error a wrong value
sgd.group("head", (group) => group.lr(true));
// @ts-expect-error a group has no groups
sgd.group("head", (group) => group.group("a"));
// @ts-expect-error not parameters
sgd.group(7);
// @ts-expect-error not parameters
sgd.build("head");
// @ts-expect-error no such schedule
sgd.schedule({ schedule: "cosinus", steps: 3 });
// @ts-expect-error the steps are missing
sgd.schedule(schedules.cosine({}));

// The function has the same options, by position and by name.
opt("sgd", module(["linear", 2, 1]), 0.1, 0.9, { nesterov: true });
// @ts-expect-error the second position is the momentum
opt("sgd", module(["linear", 2, 1]), 0.1, "0.9");
// @ts-expect-error the first position is the learning rate
opt("adamw", module(["linear", 2, 1]), true);
// @ts-expect-error no such option
opt("adamw", module(["linear", 2, 1]), 0.1, { nesterov: true });
// @ts-expect-error a wrong value
opt("adamw", { lr: "fast" });

// The classes.
const o = sgd.build(m);
o.lr = 0.1;
o.lr = [0.1, 0.2];
expectTypeOf(o.lr).toEqualTypeOf<readonly number[]>();
// @ts-expect-error a number or several
o.lr = "fast";
expectTypeOf(o.step()).toEqualTypeOf<void>();
expectTypeOf(o.step(() => 1)).toEqualTypeOf<number>();
expectTypeOf(o.state()).toEqualTypeOf<State>();
expectTypeOf(Optimizer.restore(o.state(), m)).toEqualTypeOf<Optimizer>();
expectTypeOf(m.forward([[1, 2]])).toEqualTypeOf<Tensor>();
// @ts-expect-error a tensor is not a module
Optimizer.restore(o.state(), Tensor.of(1));
// @ts-expect-error a handle is the function's, and not the class
m.forward(m);

// A training reports events.
const model = new Model(m, "mse", o);
// @ts-expect-error no such loss
new Model(m, "mean", o);
expectTypeOf(model.fit({ inputs: [[1, 2]], targets: [[1]] })).toEqualTypeOf<Training>();
expectTypeOf<Awaited<Training>>().toEqualTypeOf<FitHistory>();
expectTypeOf<FitHistory["epochs"][number]["validation"]>().toEqualTypeOf<Figures | undefined>();
expectTypeOf<FitEvent["type"]>().toEqualTypeOf<"step" | "checkpoint" | "epoch" | "done">();
expectTypeOf<Extract<FitEvent, { type: "done" }>["reason"]>().toEqualTypeOf<
  "finished" | "aborted" | "earlystop" | "nonfinite"
>();
expectTypeOf<Extract<FitEvent, { type: "epoch" }>["accuracy"]>().toEqualTypeOf<number | undefined>();
// A loss has its options, and no others.
new Model(m, ["smoothl1", { beta: 0.5 }], o);
// @ts-expect-error mse has no beta
new Model(m, ["mse", { beta: 0.5 }], o);
// @ts-expect-error the metric is one number
model.fit({ inputs: [[1, 2]], targets: [[1]] }, { earlystop: { metric: "batchloss" } });
model.fit({ inputs: [[1, 2]], targets: [[1]] }, { batchSize: 3, accumulate: 2, metrics: ["loss", "accuracy"] });
// @ts-expect-error no such option
model.fit({ inputs: [[1, 2]], targets: [[1]] }, { batch: 3 });
// @ts-expect-error targets are missing
model.fit({ inputs: [[1, 2]] });

// A source has samples or batches of any iterable.
model.fit({ samples: [[[1, 2], 0]] }, { shuffle: { buffer: 10, seed: 1 }, prefetch: 4 });
model.fit({ samples: new Set<Sample>() }, { shuffle: true, checkpoint: { path: "run", steps: 5, resume: true } });
model.fit({
  samples: async function* ({ epoch, skip, signal }) {
    expectTypeOf([epoch, skip]).toEqualTypeOf<number[]>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    yield [Float32Array.of(1, 2), 0];
    yield { input: Tensor.of([1, 2]), target: [1] };
  },
  count: 3,
  skips: true,
});
model.fit({ samples: () => Readable.from([]) }, { validation: { batches: () => [], every: 2 } });
model.fit({ samples: async () => new ReadableStream<Sample>() });
model.fit({ batches: [{ inputs: [[1, 2]], targets: { data: Float32Array.of(1), shape: [1, 1] } }] });
// @ts-expect-error an item is a pair
model.fit({ samples: [1, 2] });
// @ts-expect-error a sample has one target
model.fit({ samples: [{ input: [1], targets: [1] }] });
// @ts-expect-error a text is not a source
model.fit({ samples: "samples" });
// @ts-expect-error a buffer has no size
model.fit({ samples: [] }, { shuffle: { size: 3 } });
// @ts-expect-error a checkpoint has a path
model.fit({ samples: [] }, { checkpoint: { steps: 3 } });
const training = model.fit({ samples: [] }, { resume: {} as TrainingPosition });
expectTypeOf(training.position).toEqualTypeOf<TrainingPosition>();
expectTypeOf(model.measure({ inputs: [[1, 2]], targets: [[1]] })).toEqualTypeOf<Figures>();
expectTypeOf(model.measure({ samples: [] }, { signal: new AbortController().signal })).toEqualTypeOf<
  Promise<Figures>
>();
expectTypeOf<Extract<FitEvent, { type: "step" }>["steps"]>().toEqualTypeOf<number | undefined>();
