// Operations in which the processes differ: an error on each, and the group goes on.

import * as k from "@stepwell/sdk";

await k.initProcessGroup();
const { RANK } = process.env;
const isFirst = RANK === "0";
const zeros = (length: number, dtype: "float" | "double" = "float") => k.full([length], 0, dtype);

const parameter = k.tensor([1], { grad: true });
const shared = k.opt("sgd", parameter);
await k.distributed(shared);
k.backward(k.sum(parameter));

/** The first one of several tensors, of which a later one differs. */
const kept = k.tensor([Number(RANK)]);

const calls: { readonly [name: string]: () => Promise<unknown> } = {
  "a length": () => k.allReduce(zeros(isFirst ? 2 : 3)),
  "a type": () => k.allReduce(zeros(2, isFirst ? "float" : "double")),
  "a shape": () => k.allReduce(k.full(isFirst ? [3, 2] : [2, 3], 0)),
  "a reduction": () => k.allReduce(zeros(2), isFirst ? "sum" : "max"),
  "a gathered length": () => k.allGather(zeros(isFirst ? 2 : 5)),
  "a broadcast length": () => k.broadcast(zeros(isFirst ? 2 : 5), 0),
  "a rank to take from": () => k.broadcast(zeros(2), isFirst ? 0 : 1),
  "a number of tensors": () => k.allReduce(k.vector(...Array.from({ length: isFirst ? 2 : 3 }, () => zeros(2)))),
  "no tensor": () => k.allReduce(isFirst ? k.vector() : zeros(2)),
  "a later tensor": () => k.allReduce(k.vector(kept, zeros(2), zeros(isFirst ? 2 : 5))),
  "a later tensor to take": () => k.broadcast(k.vector(kept, zeros(2, isFirst ? "float" : "double")), 1),
  "a type that has no mean": () => k.allReduce(isFirst ? k.tensor([1], "long") : zeros(1), "mean"),
  "a rank that is too high": () => k.broadcast(zeros(2), isFirst ? 2 : 0),
  "a scattered length that does not divide": () => k.reduceScatter(zeros(isFirst ? 3 : 4)),
  "a scattered reduction": () => k.reduceScatter(zeros(2), isFirst ? "sum" : "max"),
  "a scattered length": () => k.reduceScatter(zeros(isFirst ? 2 : 4)),
  "an operation": () => (isFirst ? k.barrier() : k.allReduce(zeros(2))),
  "a step": () => (isFirst ? k.barrier() : k.stepAsync(shared)),
};

const results: Record<string, string> = {};
for (const [name, call] of Object.entries(calls)) {
  results[name] = await call().then(
    () => "no error",
    (error: k.StepwellError) => `${error.code} ${error.message}`,
  );
}
const sum = k.full([2], 1);
await k.allReduce(sum);
console.log(JSON.stringify({ results, sum: k.tensor(sum), kept: k.tensor(kept) }));
process.exit();
