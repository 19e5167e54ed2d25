// Every optimizer from its creation to its end, and calls that cross the addon in other ways, for a checker of memory.

import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { configured, say } from "./lines.js";

export interface MemoryConfig {
  readonly folder: string;
  readonly optimizers: readonly k.OptimizerName[];
}

const { folder, optimizers } = configured<MemoryConfig>();
const inputs = Array.from({ length: 9 }, (_, i) => [Math.sin(i), Math.cos(2 * i), i / 9]);
const targets = inputs.map(([a = 0, b = 0]) => [a * b, a - b]);

async function train(name: k.OptimizerName, dtype: k.Dtype, options: object): Promise<void> {
  k.seed(1);
  const net = k.module(k.seq("sequential", ["linear", "a", 3, 70], "tanh", ["drop", 0.2], ["linear", "b", 70, 2]));
  k.to(net, dtype);
  const optimizer = k.opt(name as "adam", net, { lr: 0.01, ...options } as never);
  const model = k.model(net, k.loss("mse"), optimizer);
  k.train(model, { batchsize: 4, shuffle: true });
  k.train(model, k.tensor(inputs, dtype), k.tensor(targets, dtype));
  const closure = () =>
    k.scoped(() => {
      k.zerograd(optimizer);
      const loss = k.mse(k.forward(net, k.tensor(inputs, dtype)), k.tensor(targets, dtype));
      k.backward(loss);
      return k.tensor(loss) as number;
    });
  k.step(optimizer, closure);
  k.run(model);
  if (k.engineInfo.engine === "native") await k.runAsync(model);
  const path = join(folder, "run");
  k.save(path, { net, optimizer, model });
  k.load(path, { net, optimizer, model });
  k.deserialize(k.serialize({ net, optimizer }));
  k.run(model);
  k.free();
  if (k.handlecount() !== 0) throw new Error(`${name}: ${k.handlecount()} objects are left`);
  say({ name, dtype, options });
}

/** Typed arrays of both directions, texts, and values that are refused. */
function cross(): void {
  const numbers = k.tensor(Float32Array.from({ length: 1000 }, (_, i) => i));
  const { data } = k.data(k.mul(numbers, 2));
  if ((data as Float32Array)[999] !== 1998) throw new Error("other numbers come back");
  k.tensor(new BigInt64Array(7));
  k.evaluate(
    k.callback((x) => k.relu(x)),
    numbers,
  );
  const refused: (() => unknown)[] = [
    () => k.full([1e12], 1),
    () => k.module(["linear", "ä\0😀".repeat(100), -1, 2 ** 53] as never),
    () => k.opt("adam", numbers as never, { lr: "fast" } as never),
    () => k.load(join(folder, "none")),
    () => k.step(k.opt("sgd", k.tensor([1], "grad")), () => k.tensor([[1], [2, 3]] as never) as never),
  ];
  for (const call of refused) {
    try {
      call();
    } catch (error) {
      if (error instanceof k.StepwellError) continue;
      throw error;
    }
    throw new Error(`${call} succeeds`);
  }
  k.free();
  say({ name: "crossings" });
}

for (const name of optimizers) {
  await train(name, "float", {});
  await train(name, "double", name === "lbfgs" ? { iter: 2, search: "strong_wolfe" } : { decay: 0.1, average: 0.9 });
}
cross();
say({ name: "end" });
