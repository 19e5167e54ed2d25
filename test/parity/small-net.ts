// A small net, trained here and in Python's torch, with equal steps.

import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { expect } from "vitest";

export const bridges = fileURLToPath(new URL("../../bridges/pytorch", import.meta.url));

export const layers = ["sequential", ["linear", "fc", 3, 4], "tanh", ["linear", "out", 4, 1]] as const;
const rows = Array.from({ length: 8 }, (_, i) => [Math.sin(i), Math.cos(i), i / 8]);
const targets = Array.from({ length: 8 }, (_, i) => [Math.sin(3 * i)]);

/** The net in Python as `net`, and {@link advance}. */
export const torchNet = `
from collections import OrderedDict
net = torch.nn.Sequential(OrderedDict(fc=torch.nn.Linear(3, 4), act=torch.nn.Tanh(), out=torch.nn.Linear(4, 1)))
x, y = torch.tensor(${JSON.stringify(rows)}), torch.tensor(${JSON.stringify(targets)})
def advance(optimizer, steps):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
`;

/** Options of an optimizer, here and in PyTorch. */
export const optimizers = {
  adam: [{ lr: 0.02, amsgrad: true, decay: 0.1 }, "Adam", "lr=0.02, amsgrad=True, weight_decay=0.1"],
  adamw: [{ lr: 0.02, beta1: 0.8 }, "AdamW", "lr=0.02, betas=(0.8, 0.999)"],
  sgd: [{ lr: 0.05, momentum: 0.9, nesterov: true }, "SGD", "lr=0.05, momentum=0.9, nesterov=True"],
  rmsprop: [{ lr: 0.02, momentum: 0.5, centered: true }, "RMSprop", "lr=0.02, momentum=0.5, centered=True"],
  adagrad: [{ lr: 0.05, lrdecay: 0.01 }, "Adagrad", "lr=0.05, lr_decay=0.01"],
} as const;

/** Makes steps, and returns the losses. */
export function advance(net: k.ModuleHandle, optimizer: k.OptimizerHandle, steps: number): number[] {
  return Array.from({ length: steps }, () => {
    const loss = k.mse(k.forward(net, rows), targets);
    k.backward(loss);
    k.step(optimizer, { zerograd: true });
    return Number(k.take(loss));
  });
}

/** Fails unless numbers agree to the tolerance of PyTorch's own tests for numbers of 32 bits. */
export function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  for (const [i, number] of found.entries()) {
    expect(Math.abs(number - (expected[i] as number))).toBeLessThanOrEqual(1e-5 + 1.3e-6 * Math.abs(number));
  }
}
