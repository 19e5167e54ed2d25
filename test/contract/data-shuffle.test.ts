// The order of items from the buffer of a shuffle.

import * as k from "@stepwell/sdk";
import { type FitOptions, Model, Module, optimizer } from "@stepwell/sdk";
import { afterEach, expect, it } from "vitest";

afterEach(() => {
  k.reset();
});

/** The numbers of the samples of each epoch, in the order of the training; from the weights, of which each sample trains its own. */
async function orders(count: number, options: FitOptions, seed = 1): Promise<number[][]> {
  k.seed(seed);
  const m = Module.of(["linear", count, 1, false]);
  k.fill(k.parm(m.handle, "weight"), 0);
  const model = new Model(m, "mse", optimizer("sgd").lr(0).build(m));
  const seen: number[][] = [];
  // The loss of a batch of one sample is the square of its target, its number.
  const samples = Array.from({ length: count }, (_, i) => [Array.from({ length: count }, () => 0), [i]] as const);
  for await (const event of model.fit({ samples }, { batchSize: 1, ...options })) {
    if (event.type !== "step") continue;
    seen[event.epoch - 1] ??= [];
    seen[event.epoch - 1]?.push(Math.round(Math.sqrt(event.loss)));
  }
  return seen;
}

const ascending = (count: number) => Array.from({ length: count }, (_, i) => i);
const sorted = (order: readonly number[] | undefined) => [...(order ?? [])].sort((a, b) => a - b);

it("has each item once in an epoch, none before it was read, and another order in each epoch", async () => {
  for (const buffer of [2, 5, 39, 40, 41, 1_000_000]) {
    const [first = [], second = []] = await orders(40, { epochs: 2, shuffle: { buffer } });
    expect(first).not.toEqual(ascending(40));
    expect(second).not.toEqual(first);
    for (const order of [first, second]) {
      expect(sorted(order)).toEqual(ascending(40));
      // The item at a place was in the buffer then.
      for (const [place, item] of order.entries()) expect(item).toBeLessThan(place + buffer);
    }
  }
});

it("is the order of the source with a buffer of 1", async () => {
  expect(await orders(20, { epochs: 2, shuffle: { buffer: 1 } })).toEqual([ascending(20), ascending(20)]);
});

it("follows from the generator of the session, or from a seed alone", async () => {
  const shuffle = { buffer: 10 };
  const [first, again, other] = [
    await orders(20, { shuffle }, 1),
    await orders(20, { shuffle }, 1),
    await orders(20, { shuffle }, 2),
  ];
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
  const seeded = { shuffle: { buffer: 10, seed: 2 ** 40 + 7 }, epochs: 2 };
  expect(await orders(20, seeded, 2)).toEqual(await orders(20, seeded, 1));
  const next = { shuffle: { buffer: 10, seed: 7 }, epochs: 2 };
  const [one, two] = await orders(20, next);
  expect(two).not.toEqual(one);
  expect([one, two]).not.toEqual(await orders(20, seeded));
});

it("takes a buffer of 1000 items unless it is told another number", async () => {
  expect(await orders(30, { shuffle: true })).toEqual(await orders(30, { shuffle: { buffer: 1000 } }));
});

it("draws every order of a whole buffer with the same probability", async () => {
  const counts = new Map<string, number>();
  const epochs = 1200;
  for (const order of await orders(3, { epochs, shuffle: { buffer: 3 } })) {
    counts.set(String(order), (counts.get(String(order)) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  // Chi-square of 5 degrees of freedom: above 25.7 with a probability of 1e-4. The seed is fixed.
  let chi = 0;
  for (const count of counts.values()) chi += (count - epochs / 6) ** 2 / (epochs / 6);
  expect(chi).toBeLessThan(25.7);
});
