// Steps on the device under test equal steps on the CPU to the bit, and a training goes on on another device.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { optimizers } from "../contract/optimizers.js";
import { expectSameBytes } from "../contract/same-bytes.js";
import { deviceUnderTest } from "./device-under-test.js";

afterEach(() => k.free());

const device = deviceUnderTest();
const firstOrder = optimizers.filter((name) => name !== "lbfgs");
const dtypes = ["float", "double", "half", "bfloat16"] as const;
/** Lengths with tails, below and above a chunk of 16,384 elements. */
const shapes = [[1], [17], [513], [3, 171], [16_384], [40_001]];

/** Numbers between -1 and 1 without a pattern that a step could hide. */
function numbers(shape: readonly number[], salt: number): Float32Array {
  const length = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from(
    { length },
    (_, i) => (((i * 7919 + salt * 104_729) % 20_011) / 10_005.5 - 1) / (1 + (i % 7)),
  );
}

function setGradient(parameter: k.TensorHandle, salt: number): void {
  const shape = k.size(parameter);
  const [dtype, on] = [k.dtype(parameter), k.device(parameter) as k.Device];
  const gradient = k.tensor(numbers(shape, salt), { shape, dtype, device: on });
  k.grad(parameter, gradient);
  k.free(gradient);
}

interface Run {
  readonly parameters: readonly k.TensorHandle[];
  readonly optimizer: k.OptimizerHandle;
}

function start(on: k.Device, name: k.OptimizerName, dtype: (typeof dtypes)[number], options: object): Run {
  const parameters = shapes.map((shape, i) => k.tensor(numbers(shape, i), { shape, dtype, device: on, grad: true }));
  const optimizer = k.opt(name);
  k.opt(optimizer, 0, [], options);
  for (const parameter of parameters) k.opt(optimizer, parameter);
  return { parameters, optimizer };
}

function steps({ parameters, optimizer }: Run, count: number, options: k.StepOptions, from = 0): void {
  for (let s = from; s < from + count; s++) {
    for (const [i, parameter] of parameters.entries()) {
      // A parameter without a gradient in one step.
      if (s === 1 && i === 2) k.nograd(parameter);
      else setGradient(parameter, 31 * s + i);
    }
    k.step(optimizer, options);
  }
}

const isTensor = (value: unknown): value is k.TypedTensor =>
  typeof value === "object" && value !== null && "data" in value;

function expectSame(ours: Run, theirs: Run): void {
  for (const [i, parameter] of ours.parameters.entries()) {
    expectSameBytes(k.data(parameter).data, k.data(theirs.parameters[i] as k.TensorHandle).data);
  }
  const theirBuffers = buffers(theirs.optimizer);
  for (const [i, row] of buffers(ours.optimizer).entries()) {
    for (const [key, value] of Object.entries(row)) {
      const wanted = theirBuffers[i]?.[key];
      if (isTensor(value) && isTensor(wanted)) expectSameBytes(value.data, wanted.data);
      else expect(value, key).toEqual(wanted);
    }
  }
}

const variants: readonly (readonly [name: string, options: object, step: k.StepOptions])[] = [
  ["plain", {}, {}],
  ["with decay and a moving average", { decay: 0.01, average: 0.9 }, {}],
  ["clipped, and zeroed", {}, { clipnorm: 0.5, zerograd: true }],
];

describe.each(firstOrder)("%s", (name) => {
  describe.each(dtypes)("%s", (dtype) => {
    it.each(variants)(`${device} equals cpu, %s`, (_, options, step) => {
      const [ours, theirs] = [start(device, name, dtype, options), start("cpu", name, dtype, options)];
      for (const run of [ours, theirs]) steps(run, 3, step);
      expectSame(ours, theirs);
    });
  });

  it("goes on on another device from a state", () => {
    const whole = network("cpu");
    const o = k.opt(name, whole);
    train(whole, o, 0, 4);
    for (const [from, to] of [
      [device, "cpu"],
      ["cpu", device],
    ] as const) {
      const m = network(from);
      const first = k.opt(name, m);
      train(m, first, 0, 2);
      const copy = k.module(k.state(m));
      k.to(copy, to);
      const restored = k.opt(k.state(first), copy);
      train(copy, restored, 2, 4);
      expect(k.state(copy)).toEqual(k.state(whole));
      expect(buffers(restored)).toEqual(buffers(o));
    }
  });
});

const buffers = (o: k.OptimizerHandle) => k.state(o).parms.map((row) => row.buffers);

function network(on: k.Device): k.ModuleHandle {
  k.seed(1);
  const m = k.module(k.seq("sequential", ["linear", "a", 17, 33], "relu", ["linear", "b", 33, 5]));
  k.to(m, on);
  return m;
}

/** Steps with gradients that depend on the number of the step alone. */
function train(m: k.ModuleHandle, o: k.OptimizerHandle, from: number, to: number): void {
  for (let s = from; s < to; s++) {
    for (const [i, name] of k.parmnames(m).entries()) {
      setGradient(k.parm(m, name), 31 * s + i);
    }
    k.step(o);
  }
}

it("minimizes with lbfgs as on the CPU", () => {
  const minimum = (on: k.Device) => {
    const x = k.tensor([-1.2, 1, 0.5, 2], { dtype: "double", device: on, grad: true });
    const o = k.opt("lbfgs", x);
    const losses = [1, 2, 3].map(() =>
      k.step(o, () => {
        k.zerograd(o);
        const loss = k.mse(x, [1, 2, 3, 4]);
        k.backward(loss);
        return loss;
      }),
    );
    return [...losses, ...k.data(x).data];
  };
  for (const [i, number] of minimum(device).entries()) expect(number).toBeCloseTo(Number(minimum("cpu")[i]), 9);
});
