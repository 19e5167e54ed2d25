// The cases of `stepwell bench`, as an engine runs them.

import type * as sdk from "@stepwell/sdk";

/** Cases, each with a sentence for a reader. */
export const benchCases = {
  adam: "a step of Adam, 1,000,000 parameters in 20 tensors",
  mlp: "a training step of an MLP 784-256-10, batch 256, Adam",
  matrix: "a product of two matrices 512 x 512",
} as const;

/** The name of a case. */
export type BenchCase = keyof typeof benchCases;

/** Makes the repeated work of a case. */
export function workOf(k: typeof sdk, name: BenchCase): () => void {
  k.seed(1);
  return { adam: adamStep, mlp: mlpStep, matrix: matrixProduct }[name](k);
}

function adamStep(k: typeof sdk): () => void {
  const tensors = Array.from({ length: 20 }, () => k.tensor(new Float32Array(50_000).fill(0.5), "grad"));
  const optimizer = k.opt("adam", k.vector(...tensors));
  for (const tensor of tensors) k.grad(tensor, new Float32Array(50_000).fill(0.01));
  return () => k.step(optimizer);
}

function mlpStep(k: typeof sdk): () => void {
  const net = k.module(k.seq("sequential", ["linear", 784, 256], "relu", ["linear", 256, 10]));
  const optimizer = k.opt("adam", net);
  const inputs = k.rand([256, 784]);
  const targets = k.tensor(BigInt64Array.from({ length: 256 }, (_, i) => BigInt(i % 10)));
  return () =>
    k.scoped(() => {
      const loss = k.ce(k.forward(net, inputs), targets);
      k.backward(loss);
      k.step(optimizer, { zerograd: true });
    });
}

function matrixProduct(k: typeof sdk): () => void {
  const [a, b] = [k.rand([512, 512]), k.rand([512, 512])];
  return () => k.free(k.mm(a, b));
}

/** The cases in Python, for a `torch` that is installed. It answers lines of a case and milliseconds with medians in seconds. */
export const torchProgram = `
import sys, time
import torch
torch.manual_seed(1)
def adam():
    tensors = [torch.full((50000,), 0.5, requires_grad=True) for _ in range(20)]
    optimizer = torch.optim.Adam(tensors)
    for tensor in tensors:
        tensor.grad = torch.full((50000,), 0.01)
    return optimizer.step
def mlp():
    net = torch.nn.Sequential(torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
    optimizer = torch.optim.Adam(net.parameters())
    inputs, targets = torch.rand(256, 784), torch.arange(256) % 10
    def work():
        loss = torch.nn.functional.cross_entropy(net(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return work
def matrix():
    a, b = torch.rand(512, 512), torch.rand(512, 512)
    return lambda: torch.mm(a, b)
works = {name: make() for name, make in (("adam", adam), ("mlp", mlp), ("matrix", matrix))}
print("ready", torch.__version__, flush=True)
for line in sys.stdin:
    name, milliseconds = line.split()
    work, times = works[name], []
    end = time.perf_counter() + float(milliseconds) / 1000
    while not times or time.perf_counter() < end:
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    print(sorted(times)[len(times) // 2], flush=True)
`;
