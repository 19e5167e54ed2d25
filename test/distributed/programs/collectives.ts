// Each operation of a process group on tensors of each dtype; prints what it gives.

import * as k from "@stepwell/sdk";

const { rank, size } = await k.initProcessGroup();
const numbers = (tensor: k.TensorHandle) => Array.from(k.data(tensor).data as ArrayLike<number | bigint>, Number);
const results: Record<string, unknown> = { rank, size };
for (const dtype of ["float", "double", "half", "bfloat16", "long"] as const) {
  for (const operation of ["sum", "mean", "min", "max", "product"] as const) {
    if (dtype === "long" && operation === "mean") continue;
    const x = k.tensor([rank + 1, 2, -rank], dtype);
    await k.allReduce(x, operation);
    results[`${operation} ${dtype}`] = numbers(k.to(x, "double"));
  }
}
const rows = k.transpose(
  k.tensor([
    [rank, 1, 2],
    [3, 4, 5],
  ]),
  0,
  1,
);
await k.allReduce(rows);
results.transposed = k.tensor(rows);
const x = k.tensor([rank, rank * rank]);
await k.broadcast(x, size - 1);
results.broadcast = numbers(x);
results.gathered = k.tensor(await k.allGather(k.tensor([[rank, -rank]])));
for (const operation of ["sum", "mean", "min", "max", "product"] as const) {
  const parts = k.tensor(Array.from({ length: size }, (_, part) => [(rank + 1) * 10 ** part, part]));
  results[`scattered ${operation}`] = k.tensor(await k.reduceScatter(parts, operation));
}
const net = k.module(["linear", 2, 2]);
k.copyto(k.full([2, 2], rank + 1), k.parm(net, "weight"));
await k.allReduce(net, "max");
results.module = k.tensor(k.parm(net, "weight"));
const nothing = k.tensor([], "float");
await k.allReduce(nothing);
results.nothing = numbers(nothing);
await k.barrier();

// Not-a-number of one process wins, wherever it is among the ranks, and a mean is finite where the numbers are.
for (const operation of ["min", "max"] as const) {
  const values = () => k.tensor(Array.from({ length: size }, (_, i) => (i === rank ? Number.NaN : i)));
  const all = values();
  await k.allReduce(all, operation);
  results[`${operation} of NaN`] = [...numbers(all), ...numbers(await k.reduceScatter(values(), operation))].map(
    String,
  );
}
for (const [dtype, large] of [
  ["half", 60_000],
  ["bfloat16", 3e38],
  ["float", 3e38],
  ["double", Number.MAX_VALUE],
] as const) {
  const values = () => k.full([size, 2], large, dtype);
  const all = values();
  await k.allReduce(all, "mean");
  const part = await k.reduceScatter(values(), "mean");
  const [first] = numbers(k.to(values(), "double"));
  results[`means of large ${dtype}`] = [first, ...[all, part].flatMap((x) => numbers(k.to(x, "double")))];
}
const infinite = k.tensor([rank === 0 ? Infinity : 1, rank === 0 ? Infinity : -Infinity, Number.NaN], "double");
await k.allReduce(infinite, "mean");
results["mean of infinite"] = numbers(infinite).map(String);

// Both reductions round alike, in the order of the ranks.
const mixed = (dtype: k.Dtype) => {
  const values = Array.from({ length: 5 * size }, (_, i) => Math.sin(7 * i + 3 * rank) * 10 ** (((i + rank) % 7) - 3));
  return k.to(k.tensor(values, "double"), dtype);
};
const differing: string[] = [];
for (const dtype of ["float", "double", "half", "bfloat16", "long", "bool"] as const) {
  for (const operation of ["sum", "mean", "min", "max", "product"] as const) {
    if ((dtype === "long" || dtype === "bool") && operation === "mean") continue;
    const all = mixed(dtype);
    await k.allReduce(all, operation);
    const part = numbers(k.to(await k.reduceScatter(mixed(dtype), operation), "double"));
    const own = numbers(k.to(all, "double")).slice(5 * rank, 5 * rank + 5);
    if (part.some((x, i) => x !== own[i])) differing.push(`${operation} ${dtype}`);
  }
}
results["reductions that differ"] = differing;

// A graph of before is outdated, as after `copyto`, on every process.
const outdated: { readonly [name: string]: (parameter: k.TensorHandle) => Promise<void> } = {
  allReduce: (parameter) => k.allReduce(parameter, "max"),
  "allReduce of a vector": (parameter) => k.allReduce(k.vector(k.full([2], 1), parameter)),
  broadcast: (parameter) => k.broadcast(parameter, undefined),
  "broadcast of a dictionary": (parameter) => k.broadcast(k.dict({ parameter }), size - 1),
  distributed: (parameter) => k.distributed(k.opt("sgd", parameter)),
};
results.outdated = {};
for (const [name, write] of Object.entries(outdated)) {
  const parameter = k.tensor([3], { grad: true });
  const loss = k.sum(k.pow(parameter, 2));
  await write(parameter);
  try {
    k.backward(loss);
  } catch (error) {
    Object.assign(results.outdated as object, { [name]: (error as k.StepwellError).message });
  }
}

const refused = async (name: string, call: () => Promise<unknown>) => {
  results[name] = await call().then(
    () => "no error",
    (error) => `${error.code} ${error.message}`,
  );
};
await refused("mean of long", () => k.allReduce(k.tensor([1], "long"), "mean"));
await refused("rows that do not divide", () => k.reduceScatter(k.tensor(new Float32Array(size + 1))));
await refused("a scattered mean of long", () => k.reduceScatter(k.tensor([1], "long"), "mean"));
await refused("unknown operation", () => k.allReduce(x, "median" as "sum"));
await refused("a rank too high", () => k.broadcast(x, size));
await refused("an optimizer", () => k.allReduce(k.opt("sgd", net) as never));
await refused("a second group", () => k.initProcessGroup());
// The group is as before.
await k.broadcast(x, 0);
results.afterwards = numbers(x);
await k.destroyProcessGroup();
await refused("no group", () => k.barrier());
console.log(JSON.stringify(results));
