// Batch normalisation counts the batches of training, as PyTorch's `num_batches_tracked` does. No result depends on the
// count; files and states hold it.

import * as k from "@stepwell/sdk";
import { afterEach, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const layer = () => k.module(["batchnorm", 1]);
const count = (m: k.ModuleHandle, name = "num_batches_tracked") => k.data(k.parm(m, name));
const counted = (n: bigint) => ({ data: new BigInt64Array([n]), shape: [] });
const batch = [[1], [2]];

it("is a whole number that begins at 0 and that only training raises", () => {
  const m = layer();
  expect(count(m)).toEqual(counted(0n));
  k.evaluate(m, batch);
  expect(count(m)).toEqual(counted(0n));
  for (let i = 0; i < 3; i++) k.forward(m, batch);
  expect(count(m)).toEqual(counted(3n));
  k.evaluate(m, batch);
  expect(count(m)).toEqual(counted(3n));
  for (const wrong of [[[1]], [[1, 2]], [1]]) expectError("ERR_SHAPE", () => k.forward(m, wrong));
  expect(count(m)).toEqual(counted(3n));
});

it("is not raised by a batch that fails in a later layer", () => {
  const m = k.module(k.seq("sequential", ["batchnorm", 1], ["linear", 2, 1]));
  expectError("ERR_SHAPE", () => k.forward(m, batch));
  expect(count(m, "0.num_batches_tracked")).toEqual(counted(0n));
});

it("is raised once for each batch that a model trains on", () => {
  const m = k.module(k.seq("sequential", ["batchnorm", 1], ["linear", 1, 1]));
  const model = k.model(m, k.loss("mse"), k.opt("sgd", m));
  k.train(model, { batchsize: 2 });
  k.train(model, [[1], [2], [3], [4], [5], [6]], [[1], [2], [3], [4], [5], [6]]);
  k.test(model, [[1], [2]], [[1], [2]]);
  k.run(model);
  k.testrun(model);
  expect(count(m, "0.num_batches_tracked")).toEqual(counted(3n));
});

it("is there only where statistics are kept, and is no parameter", () => {
  const without = k.module(["batchnorm", 1, { track: false }]);
  k.forward(without, batch);
  expectError("ERR_PARAMETER", () => count(without));
  const m = layer();
  expect(k.parmnames(m)).toEqual(["weight", "bias"]);
  expect(k.size(m)).toBe(2);
  expect([k.tensorcount(m), k.elements(m), k.bytes(m)]).toEqual([5, 5, 4 * 4 + 8]);
  k.forward(m, batch);
  const o = k.opt("adam", m);
  k.step(o);
  expect(k.opt(o).parms.map((row) => row.name)).toEqual(["weight", "bias"]);
});

it("stays whole where a module is converted", () => {
  const m = layer();
  k.forward(m, batch);
  for (const dtype of supported("double", "half", "bfloat16", "float")) {
    k.to(m, dtype);
    expect(k.dtype(k.parm(m, "running_var"))).toBe(dtype);
    expect(count(m)).toEqual(counted(1n));
    k.nograd(m);
  }
  k.forward(m, batch);
  expect(count(m)).toEqual(counted(2n));
});

it("is part of the state, exactly", () => {
  const m = layer();
  const state = structuredClone(k.state(m)) as unknown as { buffers: Record<string, unknown> }[];
  (state[0] as { buffers: Record<string, unknown> }).buffers.num_batches_tracked = counted(2n ** 53n + 1n);
  const restored = k.module(state as never);
  expect(count(restored)).toEqual(counted(2n ** 53n + 1n));
  k.forward(restored, batch);
  expect(count(restored)).toEqual(counted(2n ** 53n + 2n));
  expect(k.state(k.module(k.state(restored)))).toEqual(k.state(restored));
});

it("begins at 0 in a state of before it was kept, and is a whole number in any other", () => {
  const m = layer();
  k.forward(m, batch);
  const [row] = structuredClone(k.state(m)) as unknown as [{ buffers: Record<string, unknown> }];
  const { num_batches_tracked: _, ...old } = row.buffers;
  expect(count(k.module([{ ...row, buffers: old }] as never))).toEqual(counted(0n));
  const wrong: readonly (readonly [k.ErrorCode, object])[] = [
    ["ERR_DTYPE", { ...old, num_batches_tracked: { data: new Float32Array(1), shape: [] } }],
    ["ERR_SHAPE", { ...old, num_batches_tracked: { data: new BigInt64Array(1), shape: [1] } }],
    ["ERR_FORMAT", { ...old, num_batches_tracked: null }],
    ["ERR_FORMAT", { ...old, num_batches_tracked: "1" }],
    ["ERR_FORMAT", { ...row.buffers, more: counted(0n) }],
    ["ERR_DTYPE", { ...row.buffers, running_mean: { data: new BigInt64Array(1), shape: [1] } }],
    ["ERR_FORMAT", { running_mean: row.buffers.running_mean }],
  ];
  for (const [code, buffers] of wrong) expectError(code, () => k.module([{ ...row, buffers }] as never));
});
