// Loops of the program itself: gradients that some processes lack, closures, and gradients that are not finite.

import * as k from "@stepwell/sdk";

const { rank } = await k.initProcessGroup();
const results: Record<string, unknown> = {};
const numbers = (tensor: k.TensorHandle | undefined) => (tensor ? Array.from(k.data(tensor, "double").data) : null);

const gradientOf = (x: k.TensorHandle) => {
  const rows = k.grad(x) as readonly number[] | undefined;
  return rows ?? null;
};

/** Parameters of 1, and an optimizer of them. */
async function start(name: k.OptimizerName, options: object) {
  const [a, b, c] = [0, 1, 2].map(() => k.tensor([1, 1], "double", { grad: true })) as [
    k.TensorHandle,
    k.TensorHandle,
    k.TensorHandle,
  ];
  const o = k.opt(name as "sgd", k.vector(a, b, c), options);
  await k.distributed(o);
  return { a, b, c, o };
}

{
  const { a, b, c, o } = await start("sgd", { lr: 0.5, decay: 0.1 });
  // a has a gradient everywhere, b on rank 1 alone, c nowhere.
  k.backward(k.sum(k.mul(a, rank + 1)));
  if (rank === 1) k.backward(k.sum(k.mul(b, 4)));
  await k.stepAsync(o);
  results.missing = { gradients: [a, b, c].map(gradientOf), values: [a, b, c].map(numbers) };
}
{
  const { a, b, o } = await start("sgd", { lr: 0.5 });
  k.backward(k.sum(k.mul(a, rank === 1 ? Number.NaN : 1)));
  k.backward(k.sum(b));
  k.step(o, { nonfinite: "skip" });
  results.skipped = { values: [a, b].map(numbers), skipped: k.skipped(o) };
  k.zerograd(o);
  k.backward(k.sum(k.mul(a, 3 + rank)));
  k.step(o, { clipnorm: 1 });
  results.clipped = numbers(a);
}
{
  const { a, o } = await start("lbfgs", { lr: 1, iter: 3 });
  const loss = k.step(o, () => {
    k.zerograd(o);
    // The mean of (a - rank)² over two processes has its least at .5.
    const loss = k.sum(k.pow(k.sub(a, rank), 2));
    k.backward(loss);
    return loss;
  });
  results.closure = { loss, value: numbers(a) };
}
{
  const { o } = await start("sgd", { lr: 0.5 });
  const more = k.tensor([1], "double", { grad: true });
  try {
    k.opt(o, more);
  } catch (error) {
    results.added = (error as k.StepwellError).code;
  }
}
{
  const refusal = (call: () => Promise<unknown>) =>
    call().then(
      () => "no error",
      (error) => `${error.code} ${error.message}`,
    );
  const one = (numbers: number[], dtype: "float" | "double" = "float") => k.tensor(numbers, dtype, { grad: true });
  const net = (second: string) => k.module(k.seq("sequential", ["linear", "a", 1, 1], ["linear", second, 1, 1]));
  const isFirst = rank === 0;
  const frozen = net("b");
  if (!isFirst) k.freeze(frozen, "a.bias");
  const stepped = net("b");
  const withState = k.opt("adam", stepped);
  if (!isFirst) {
    k.backward(k.sum(k.forward(stepped, [[1]])));
    k.step(withState);
  }
  const cases: Record<string, () => k.OptimizerHandle> = {
    "a shape": () => k.opt("sgd", one(isFirst ? [1] : [1, 2])),
    "a type": () => k.opt("sgd", one([1], isFirst ? "float" : "double")),
    "a name": () => k.opt("sgd", net(isFirst ? "b" : "c")),
    "one more": () => k.opt("sgd", isFirst ? k.vector(one([1])) : k.vector(one([1]), one([1]))),
    "a frozen one": () => k.opt("sgd", frozen),
    "an optimizer": () => k.opt((isFirst ? "sgd" : "adam") as "sgd", one([1])),
    "a rate": () => k.opt("sgd", one([1]), isFirst ? 0.1 : 0.2),
    "an option of a module": () =>
      k.opt("sgd", k.module(k.seq("sequential", ["linear", 1, 1], ["drop", isFirst ? 0.1 : 0.2]))),
    "a state": () => withState,
  };
  const differences: Record<string, string> = {};
  for (const [name, make] of Object.entries(cases)) differences[name] = await refusal(() => k.distributed(make()));
  results.differences = differences;
  const text = (module: k.ModuleHandle) => JSON.stringify(k.state(module));
  const state = text(stepped);
  await refusal(() => k.distributed(withState));
  results.unchanged = text(stepped) === state;
}
{
  const { a, b, o } = await start("sgd", { lr: 0.5 });
  k.backward(k.sum(k.add(a, b)));
  if (rank === 1) k.freeze(a);
  results.frozen = await k.stepAsync(o).then(
    () => "no error",
    (error) => `${error.code} ${error.message}`,
  );
}
{
  // Each rank normalizes its own part: (0, 2) on rank 0, and (4, 8) and 9 on rank 1.
  const net = k.module(["batchnorm1d", 1, { momentum: 0.5 }]);
  k.to(net, "double");
  const model = k.model(net, k.loss("mse"), k.opt("sgd", net, 0));
  k.train(model, { batchsize: 5 });
  k.train(model, k.tensor([[0], [2], [4], [8], [9]], "double"), k.tensor([[0], [0], [0], [0], [0]], "double"));
  await k.distributed(model);
  k.run(model);
  results.statistics = ["running_mean", "running_var"].map((name) => numbers(k.buffer(net, name)));
}
{
  const net = k.module(["linear", 2, 2]);
  const o = k.opt("sgd", net, 0.5);
  await k.distributed(o);
  k.backward(k.sum(k.forward(net, [[1, 1]])));
  if (rank === 1) k.to(net, "double");
  results.converted = await k.stepAsync(o).then(
    () => "no error",
    (error) => `${error.code} ${error.message}`,
  );
  await k.barrier();
}
{
  // Options of one step that differ. Each case has an optimizer of its own, of which no process makes the step.
  const isFirst = rank === 0;
  const refusal = (call: () => Promise<unknown>) =>
    call().then(
      () => "no error",
      (error) => `${error.code} ${error.message}`,
    );
  const cases: Record<string, (o: k.OptimizerHandle) => k.StepOptions | undefined> = {
    "a norm": () => ({ clipnorm: isFirst ? 1 : 2 }),
    "a clipping": () => (isFirst ? { clipnorm: 1 } : { clipvalue: 1 }),
    "a policy": () => (isFirst ? undefined : { nonfinite: "skip" }),
    "gradients that are kept": () => ({ zerograd: isFirst }),
    "a rate": (o) => {
      k.lr(o, isFirst ? 0.1 : 0.2);
      return undefined;
    },
    "a loss scale": (o) => {
      if (isFirst) k.lossscale(o, { init: 2 });
      return undefined;
    },
    "a refused option": () => ({ clipnorm: isFirst ? 1 : -1 }),
  };
  const steps: Record<string, string> = {};
  const values: unknown[] = [];
  for (const [name, change] of Object.entries(cases)) {
    const { a, o } = await start("sgd", { lr: 0.5 });
    // Before the backward, since gradients follow a loss scale.
    const options = change(o);
    k.backward(k.sum(a));
    steps[name] = await refusal(() => k.stepAsync(o, options));
    values.push(numbers(a));
  }
  const options: Record<string, k.TrainOptions> = {
    "a size": { batchsize: isFirst ? 1 : 2 },
    "an accumulation": { accumulate: isFirst ? 1 : 2 },
    "an order": { shuffle: isFirst },
    "a rest": { droplast: isFirst },
    "a policy for losses": isFirst ? {} : { nonfiniteloss: "skip" },
    "a metric": isFirst ? {} : { metrics: ["loss", "batchloss"] },
  };
  for (const [name, own] of Object.entries(options)) {
    const net = k.module(["linear", 1, 1]);
    const model = k.model(net, k.loss("mse"), k.opt("sgd", net));
    k.train(model, { batchsize: 2, ...own });
    k.train(model, k.tensor([[1], [2], [3]]), k.tensor([[1], [2], [3]]));
    await k.distributed(model);
    const before = JSON.stringify(k.state(net));
    steps[name] = await refusal(() => k.runAsync(model));
    values.push(JSON.stringify(k.state(net)) === before);
  }
  {
    const net = k.module(["linear", 1, 1]);
    const model = k.model(net, k.loss("mse", { reduce: isFirst ? "mean" : "sum" }), k.opt("sgd", net));
    k.train(model, k.tensor([[1], [2]]), k.tensor([[1], [2]]));
    await k.distributed(model);
    steps["a loss"] = await refusal(() => k.runAsync(model));
  }
  {
    const net = k.module(["linear", 1, 1]);
    const model = k.model(net, k.loss("mse"), k.opt("sgd", net));
    k.train(model, { batchsize: 2 });
    // More batches than the processes make until the signal comes.
    k.train(model, k.full([20_000, 1], 1), k.full([20_000, 1], 1));
    await k.distributed(model);
    const controller = new AbortController();
    const progress = () => {
      if (!isFirst) controller.abort(new RangeError("own"));
    };
    const call = () => k.runAsync(model, { signal: controller.signal, progress });
    steps["a signal"] = await refusal(call);
    k.train(model, k.tensor([[1], [2], [3], [4]]), k.tensor([[1], [2], [3], [4]]));
    steps["a run after it"] = await k.runAsync(model).then(
      () => "no error",
      (error) => error.message,
    );
  }
  {
    const [one, other] = [await start("sgd", { lr: 0.5 }), await start("sgd", { lr: 0.5 })];
    for (const { a } of [one, other]) k.backward(k.sum(a));
    steps["an optimizer"] = await refusal(() => k.stepAsync(isFirst ? one.o : other.o));
    values.push(numbers(one.a), numbers(other.a));
  }
  {
    const { a, o } = await start("adam", { lr: 0.5, average: 0.5 });
    k.backward(k.sum(a));
    await k.stepAsync(o);
    if (isFirst) k.average(o);
    steps.averages = await refusal(() => k.stepAsync(o));
    if (isFirst) k.average(o);
    values.push(k.state(o).parms.map(({ buffers }) => (buffers as { step?: number } | undefined)?.step ?? null)[0]);
  }
  for (const name of ["sgd", "lbfgs"] as const) {
    const { a, o } = await start(name, { lr: 0.5 });
    let calls = 0;
    const closure = () => {
      if (!isFirst && ++calls === (name === "sgd" ? 1 : 2)) throw new RangeError("own");
      k.zerograd(o);
      const loss = k.sum(k.mul(a, a));
      k.backward(loss);
      return loss;
    };
    steps[`a closure of ${name}`] = await refusal(async () => k.step(o, closure));
    values.push(numbers(a));
  }
  {
    const { o, ...parameters } = await start("sgd", { lr: 0.5, momentum: 0.5 });
    const { a } = parameters;
    k.backward(k.sum(a));
    await k.stepAsync(o);
    const file = k.serialize({ ...parameters, o });
    await k.stepAsync(o);
    k.deserialize(file, { ...parameters, o });
    k.zerograd(o);
    // Both go on in one training: the mean of 1 and 3.
    k.backward(k.sum(k.mul(a, isFirst ? 1 : 3)));
    await k.stepAsync(o);
    values.push(numbers(a));
    if (isFirst) k.deserialize(file, { ...parameters, o });
    steps["a file"] = await refusal(() => k.stepAsync(o));
  }
  {
    // The call that waits runs the function, on the thread of the program.
    const net = k.module(["linear", 1, 1]);
    const model = k.model(net, (output, target) => k.mse(output, target), k.opt("sgd", net));
    k.train(model, k.tensor([[1], [2]]), k.tensor([[1], [2]]));
    steps["a function as the loss"] = await k.distributed(model).then(
      () => `a loss of type ${typeof k.run(model)}`,
      (error) => error.message,
    );
  }
  // The group can be used on.
  const { a, o } = await start("sgd", { lr: 0.5 });
  k.backward(k.sum(a));
  k.lr(o, 0.25);
  await k.stepAsync(o, { clipvalue: 2 });
  results.steps = { ...steps, values, afterwards: numbers(a) };
  const sharded = k.opt("adam", k.tensor([1], { grad: true }));
  await k.distributed(sharded, { sharded: true });
  await k.destroyProcessGroup();
  const refused = await refusal(() => k.stepAsync(sharded));
  k.zerograd(o);
  k.backward(k.sum(k.mul(a, rank)));
  await k.stepAsync(o, { clipvalue: 2 });
  results.alone = { refused, values: numbers(a) };
}
console.log(JSON.stringify(results));
process.exit();
