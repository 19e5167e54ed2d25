// A process of a group: does the same with tensors on the CPU and on a device, whose results must have the same bits. Then the last process ends.

import * as k from "@stepwell/sdk";

const { device, timeout } = JSON.parse(process.argv[2] ?? "") as { device: "cpu" | "cuda"; timeout: number };
const { rank, size } = await k.initProcessGroup({ timeout });
const own = device === "cpu" ? device : (`cuda:${process.env.LOCAL_RANK}` as k.Device);
const dtypes = ["float", "double", "half", "bfloat16"] as const;

/** Numbers whose sum depends on the order and on each rounding. */
const numbers = (length: number, salt: number) =>
  Float32Array.from(
    { length },
    (_, i) => ((((i + 1) * 7919 + salt * 104_729) % 20_011) / 997 - 10) * 10 ** ((i + salt) % 7),
  );
const bytes = (x: k.TensorHandle) => Buffer.from(new Uint8Array(k.data(x).data.buffer)).toString("base64");

/** Results of operations, and parameters after steps, with tensors on a device. */
async function resultsOn(on: k.Device): Promise<Readonly<Record<string, string>>> {
  const results: Record<string, string> = {};
  for (const dtype of dtypes) {
    const x = () => k.tensor(numbers(size * 1001, rank), { dtype, device: on });
    const sent = x();
    await k.broadcast(sent, size - 1);
    results[`broadcast ${dtype}`] = bytes(sent);
    results[`gathered ${dtype}`] = bytes(await k.allGather(x()));
    results[`scattered ${dtype}`] = bytes(await k.reduceScatter(x(), "mean"));
    const largest = x();
    await k.allReduce(largest, "max");
    results[`largest ${dtype}`] = bytes(largest);
  }
  for (const sharded of [false, true]) {
    for (const dtype of dtypes) {
      k.seed(1 + rank);
      const m = k.module(k.seq("sequential", ["linear", "a", 170, 130], "relu", ["linear", "b", 130, 5]));
      k.to(m, dtype, on);
      const o = k.opt("adamw", m, 0.01);
      await k.distributed(o, { sharded });
      for (let step = 0; step < 3; step++) {
        for (const [i, name] of k.parmnames(m).entries()) {
          const parameter = k.parm(m, name);
          const shape = k.size(parameter);
          const length = shape.reduce((product, n) => product * n, 1);
          // One process lacks a gradient in a step.
          if (step === 1 && i === 2 && rank === 0) k.nograd(parameter);
          else k.grad(parameter, k.tensor(numbers(length, 31 * step + 7 * rank + i), { shape, dtype, device: on }));
        }
        await k.stepAsync(o, { clipnorm: 0.5, zerograd: true });
      }
      for (const name of k.parmnames(m)) results[`${name} ${dtype} sharded ${sharded}`] = bytes(k.parm(m, name));
    }
  }
  k.free();
  return results;
}

async function errorOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
    return "none";
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return `${code} ${message}`;
  }
}

let [cpu, there]: (Readonly<Record<string, string>> | undefined)[] = [await resultsOn("cpu"), undefined];
const error = await errorOf(async () => {
  there = await resultsOn(own);
});
const differing = there && cpu ? Object.keys(cpu).filter((name) => cpu?.[name] !== there?.[name]) : [];
const count = Object.keys(there ?? {}).length;
// The last process ends, which the others notice in their next operation.
if (error === "none" && size > 1 && rank === size - 1) {
  console.log(JSON.stringify({ error, differing, count }));
  process.kill(process.pid, "SIGKILL");
}
const afterwards = await errorOf(() => k.allReduce(k.tensor([1], { device: own })));
console.log(JSON.stringify({ error, differing, count, afterwards }));
