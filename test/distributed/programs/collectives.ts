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
