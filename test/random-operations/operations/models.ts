import { inputOf, nestedNumbers } from "../values.js";
import type { Operations } from "./operation.js";

export const modelOperations: Operations = {
  model: (world) => {
    const [module, loss, optimizer] = [world.any("module"), world.any("loss"), world.any("optimizer")];
    if (module && loss && optimizer) world.call("model", module.handle, loss.handle, optimizer.handle);
    else if (!loss) world.call("loss", world.random.pick(["mse", "ce", "l1"]));
  },
  "model of its own": (world) => {
    const module = world.call("module", ["linear", 2, 2]);
    const optimizer = world.call("opt", world.random.pick(["adam", "sgd", "lbfgs"]), module, { lr: 0.01 });
    const model = world.call("model", module, world.call("loss", world.random.pick(["mse", "ce"])), optimizer);
    if (world.random.chance(0.5))
      world.call(
        "train",
        model,
        [
          [1, 2],
          [3, 4],
        ],
        [
          [1, 0],
          [0, 1],
        ],
      );
  },
  samples: (world) => {
    const { random } = world;
    const model = world.any("model")?.handle;
    if (!model) return;
    const targets = random.pick([[0, 1, 0], nestedNumbers([3, 2], () => random.number()), [1, 1]]);
    world.call(random.pick(["train", "test"]), model, inputOf(world), targets);
  },
  tested: (world) => {
    const { random } = world;
    const model = world.any("model")?.handle;
    if (!model) return;
    const inputs = nestedNumbers([3, 2], () => random.number());
    world.call("test", model, inputs, random.pick([[0, 1, 1], inputs]));
    world.call("testrun", model);
    if (random.chance(0.5)) world.call("testbatch", model, random.chance(0.5));
    world.call("testmetrics", model);
  },
  settings: (world) => {
    const { random } = world;
    const model = world.any("model")?.handle;
    if (!model) return;
    const options = random.pick([
      ...[{ batchsize: 1 }, { batchsize: 2, droplast: true }, { metrics: ["loss", "accuracy"] }, { metrics: "loss" }],
    ]);
    world.call(random.pick(["train", "test"]), model, options);
    if (random.chance(0.3))
      world.call("train", model, random.pick([{ shuffle: true }, { clipnorm: 1, clipvalue: null }, { accumulate: 2 }]));
  },
  run: (world) => {
    const model = world.any("model");
    // Steps of a pass follow one another without a look at the numbers.
    if (model) world.call(world.random.pick(["run", "batch", "testrun", "metrics"]), model.handle);
  },
  "data of a model": (world) => {
    const { random } = world;
    const model = world.any("model")?.handle;
    if (!model) return;
    world.call(random.pick(["batchinit", "restore", "shuffle", "unshuffle", "testinit", "testrestore"]), model);
    world.call(random.pick(["datasize", "testsize"]), model);
    world.call("free", world.call(random.pick(["input", "target", "testinput", "testtarget"]), model));
  },
  "parts of a model": (world) => {
    const model = world.any("model")?.handle;
    if (model) world.call(world.random.pick(["module", "opt", "loss", "train", "test"]), model);
  },
};
