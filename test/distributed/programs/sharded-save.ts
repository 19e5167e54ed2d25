// Saves and loads a sharded state in a loop of the program.

import * as k from "@stepwell/sdk";

const { path } = JSON.parse(process.argv[2] ?? "{}") as { path: string };
await k.initProcessGroup();
const net = k.module(k.seq("sequential", ["linear", "a", 30, 50], "tanh", ["linear", "b", 50, 30]));
const o = k.opt("adam", net, { average: 0.9 });
await k.distributed(o, { sharded: true });
const step = async () => {
  k.backward(k.sum(k.forward(net, k.full([2, 30], 0.1))));
  await k.stepAsync(o, { zerograd: true });
};
const text = (optimizer: k.OptimizerHandle) =>
  JSON.stringify(k.state(optimizer).parms.map(({ pointer: _, ...parm }) => parm));
await step();
const before = text(o);
const failed = await k.saveAsync("/absent/folder/of/a/checkpoint", { net, o }).then(
  () => "no error",
  (error) => `${error.code} ${error.message}`,
);
await k.saveAsync(path, { net, o });
const fromBytes = k.deserialize<{ o: k.OptimizerHandle }>(k.serialize({ net, o }));
const loaded = k.load<{ o: k.OptimizerHandle }>(path);
// The file and the bytes have the state of both processes, and this process has it still.
const isSame = [text(o), text(loaded.o), text(fromBytes.o)].every((state) => state === before);
// Loaded into the optimizer, which is whole until it is distributed again.
await step();
k.load(path, { net, o });
const hasLoaded = text(o) === before;
await k.distributed(o, { sharded: true });
await step();
await k.destroyProcessGroup();
console.log(JSON.stringify({ failed, isSame, hasLoaded }));
