import * as k from "@stepwell/sdk";
import { InvariantViolation } from "../invariants.js";
import { flat, nestedNumbers, trainable } from "../values.js";
import type { Operations } from "./operation.js";
import { expectSame, numbersOf } from "./tensors.js";

/** The gradient of a tensor, number by number; undefined if there is none. */
const gradientOf = (tensor: k.AnyHandle) => {
  const gradient = k.grad(tensor as k.TensorHandle);
  return gradient === undefined ? undefined : flat(gradient);
};

const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);

export const gradientOperations: Operations = {
  backward: (world) => {
    const tensor = world.any("tensor");
    const optimizer = world.random.chance(0.3) ? world.any("optimizer", "model") : undefined;
    if (tensor) world.call("backward", tensor.handle, ...(optimizer ? [optimizer.handle] : []));
  },
  train: (world) => {
    const module = world.any("module")?.handle;
    if (!module) return;
    const input = nestedNumbers([2, 2], () => world.random.number());
    const output = world.call<k.TensorHandle>("forward", module, input);
    const loss = world.call("mse", output, world.call("tensor", output));
    world.call("free", output);
    world.call("backward", loss);
    world.call("free", loss);
  },
  "gradient of mse": (world) => {
    const { random } = world;
    const length = 1 + random.int(4);
    const [values, targets] = [0, 1].map(() => random.list(length, () => random.number())) as [number[], number[]];
    const tensor = world.call<k.TensorHandle>("tensor", values, "grad", "double");
    const loss = world.call<k.TensorHandle>("mse", tensor, targets, { reduce: "sum" });
    expectSame("mse", "another loss", numbersOf(loss), [sum(values.map((x, i) => (x - (targets[i] ?? 0)) ** 2))]);
    world.call("backward", loss);
    const gradient = values.map((x, i) => 2 * (x - (targets[i] ?? 0)));
    expectSame("backward", "another gradient than that of a square", gradientOf(tensor) ?? [], gradient);
    if (random.chance(0.7)) world.call("free", loss, tensor);
  },
  "gradient that backward is given": (world) => {
    const { random } = world;
    const length = random.int(4);
    const [values, gradient] = [0, 1].map(() => random.list(length, () => random.number())) as [number[], number[]];
    const tensor = world.call<k.TensorHandle>("tensor", Float64Array.from(values), "grad");
    world.call("backward", tensor, Float64Array.from(gradient));
    expectSame("backward", "another gradient than the one given", gradientOf(tensor) ?? [], gradient);
    world.call("free", tensor);
  },
  grad: (world) => {
    const tensor = world.any("tensor")?.handle as k.TensorHandle | undefined;
    if (tensor === undefined) return;
    const gradient = nestedNumbers(k.size(tensor), () => world.random.number());
    world.call("grad", tensor, gradient);
    expectSame("grad", "another gradient", gradientOf(tensor) ?? [], flat(gradient));
  },
  gradflag: (world) => {
    const object = world.any("tensor", "vector", "dictionary", "module", "model");
    if (!object) return;
    const flag = world.random.chance(0.7);
    world.call("gradflag", object.handle, flag);
    const found = [world.call("gradflag", object.handle)].flat();
    if (found.some((one) => one !== flag))
      throw new InvariantViolation("gradflag", "another flag", `${found} for ${flag}`);
  },
  zerograd: (world) => {
    const object = world.any("optimizer", ...trainable);
    if (!object) return;
    const name = world.random.pick(["zerograd", "nograd"]);
    world.call(name, object.handle);
    if (object.kind !== "tensor") return;
    const gradient = gradientOf(object.handle);
    const isGone = gradient === undefined || (name === "zerograd" && gradient.every((x) => x === 0));
    if (!isGone) throw new InvariantViolation(name, "a gradient that stays", String(gradient));
  },
  clip: (world) => {
    const { random } = world;
    const object = world.any("optimizer", ...trainable);
    if (!object) return;
    const max = random.pick([0.5, 1, 1e-3]);
    const before = object.kind === "tensor" ? gradientOf(object.handle) : undefined;
    const norm = world.call<number>("clip", object.handle, max);
    if (!before?.every(Number.isFinite)) return;
    // Squares are taken in double, so the norm of numbers beyond 1e154 is Infinity, as in PyTorch.
    const wanted = Math.sqrt(before.reduce((sum, x) => sum + x * x, 0));
    if (norm !== wanted && !(Math.abs(norm - wanted) <= 1e-2 * wanted))
      throw new InvariantViolation("clip", "another norm", `${norm}: ${wanted}`);
  },
  clipv: (world) => {
    const object = world.any("optimizer", ...trainable);
    if (!object) return;
    world.call("clipv", object.handle, 0.5);
    if (object.kind !== "tensor") return;
    const largest = Math.max(0, ...(gradientOf(object.handle) ?? []).filter((x) => !Number.isNaN(x)).map(Math.abs));
    if (largest > 0.5) throw new InvariantViolation("clipv", "a gradient that is not clamped", String(largest));
  },
};
