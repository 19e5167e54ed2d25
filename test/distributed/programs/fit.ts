// Makes all trainings of `fit` with the processes of the environment, and then such as end before their time.

import { setTimeout } from "node:timers/promises";
import * as k from "@stepwell/sdk";
import { allFitted, modelOf, sources } from "../fits.js";
import { differing, failing } from "../uneven-fits.js";

k.setting("threads", 1);
const { RANK, WORLD_SIZE } = process.env;
const rank = Number(RANK);
const fitted = await allFitted(rank);

const outcome = (run: () => PromiseLike<k.FitHistory>) =>
  (async () => run())().then(
    ({ reason, steps }) => `${reason} after ${steps}`,
    (error) => `${error.code ?? error.name} ${error.message}`,
  );
const { inputs, targets } = sources.memory();
const options = { batchsize: 8, epochs: 50, distributed: true };
const ends: Record<string, string> = {};
if (WORLD_SIZE === "1") {
  console.log(JSON.stringify({ fitted, ends }));
  process.exit();
}
{
  const controller = new AbortController();
  if (rank === 1) setTimeout(300).then(() => controller.abort());
  const all = await modelOf(rank).fit(sources.memory(), { ...options, epochs: 100_000, signal: controller.signal });
  ends["a signal of rank 1"] = all.reason;
  ends.steps = String(all.steps);
}
{
  const training = modelOf(rank).fit(sources.memory(), options);
  const events: string[] = [];
  for await (const event of training) {
    events.push(event.type === "done" ? event.reason : event.type);
    if (event.type === "step" && event.step === 4) break;
  }
  ends["a loop that rank 0 leaves"] = `${events} after ${training.position.step}`;
}
{
  const failing = () => ({
    samples: function* () {
      yield* sources.samples().samples().slice(0, 12);
      if (rank === 1) throw new RangeError("no more");
      yield* sources.samples().samples().slice(12);
    },
  });
  ends["a source that fails on rank 1"] = await outcome(() =>
    modelOf(rank).fit(failing(), { ...options, prefetch: 0 }),
  );
}
{
  // The model refuses the data once the source has given them.
  const batches = function* () {
    for (const [rows, classes] of sources.batches().batches()) yield [rows, rank === 1 ? classes.slice(1) : classes];
  };
  ends["a batch of rank 1 with fewer targets"] = await outcome(() =>
    modelOf(rank).fit({ batches } as never, { distributed: true }),
  );
}
{
  const short = {
    samples: () =>
      sources
        .samples()
        .samples()
        .slice(0, rank === 1 ? 12 : 21),
  };
  ends["a source that ends on rank 1"] = await outcome(() => modelOf(rank).fit(short, options));
}
{
  const broken = inputs.map((row, i) => (i === 12 ? [Number.NaN, 0, 0] : row));
  ends["a loss that is not finite"] = await outcome(() => modelOf(rank).fit({ inputs: broken, targets }, options));
}
{
  const checkpoint = { path: "/absent/folder/of/a/checkpoint" };
  ends["a checkpoint that fails"] = await outcome(() =>
    modelOf(rank).fit(sources.memory(), { ...options, checkpoint }),
  );
}
{
  const data = rank === 1 ? { inputs: inputs.slice(1), targets: targets.slice(1) } : { inputs, targets };
  ends["fewer samples on rank 1"] = await outcome(() => modelOf(rank).fit(data, options));
}
for (const [name, [given]] of Object.entries({ ...differing, ...failing })) {
  const model = modelOf(rank);
  const before = JSON.stringify(model);
  const [data, more] = given(rank);
  const end = await outcome(() => model.fit(data as k.FitData, { ...options, ...more }));
  ends[name] = JSON.stringify(model) === before ? end : `${end}, and has changed something`;
}
{
  // Accuracy needs a loss of classes.
  const { module, optimizer } = modelOf(rank);
  const model = new k.Model(module, "mse", optimizer);
  const metrics = rank === 1 ? "accuracy" : "loss";
  ends["a metric of classes"] = await outcome(() => model.fit(sources.memory(), { ...options, metrics }));
}
{
  const model = modelOf(rank);
  const own = rank === 1 ? outcome(() => model.fit(sources.memory(), { epochs: 2 })) : undefined;
  ends["a training that has begun since"] = await outcome(() => model.fit(sources.memory(), options));
  await own;
}
{
  const model = modelOf(rank);
  const all = model.fit(sources.memory(), { ...options, epochs: 1 });
  const ending = outcome(() => all);
  await setTimeout(0);
  // A word about it would be taken for one of the training that is running.
  const second = rank === 1 ? await outcome(() => model.fit(sources.memory(), options)) : "";
  ends["a second training of rank 1"] = `${await ending}, ${second}`;
}
{
  const model = modelOf(rank);
  k.train(model.handle, inputs, targets);
  const run = k.runAsync(model.handle);
  ends["a busy model of rank 1"] = rank === 1 ? await outcome(() => model.fit(sources.memory(), options)) : "";
  await run;
}
{
  const [one, other] = [modelOf(rank), modelOf(rank)];
  const both = [one, other].map((model) => outcome(() => model.fit(sources.memory(), { ...options, epochs: 1 })));
  ends["two trainings at once"] = (await Promise.all(both)).join(", ");
  ends["one after the other"] = await outcome(() => other.fit(sources.memory(), { ...options, epochs: 1 }));
}
{
  const model = modelOf(rank);
  if (rank === 1) k.lossscale(model.optimizer, { init: 8 });
  ends["a loss scale of rank 1"] = await outcome(() => model.fit(sources.memory(), options));
}
for (const milliseconds of [0, 3, 10]) {
  const model = modelOf(rank);
  const training = outcome(() => model.fit(sources.memory(), { ...options, epochs: 100_000 }));
  await setTimeout(milliseconds);
  if (rank === 1) k.free(model.optimizer);
  ends[`an optimizer that rank 1 frees after ${milliseconds} ms`] = await training;
}
// The group is as before.
ends.afterwards = await outcome(() => modelOf(rank).fit(sources.memory(), { ...options, epochs: 1 }));
await k.destroyProcessGroup();
console.log(JSON.stringify({ fitted, ends }));
