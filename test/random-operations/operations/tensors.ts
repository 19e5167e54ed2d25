import * as k from "@stepwell/sdk";
import { InvariantViolation } from "../invariants.js";
import { dtypeOf, elementsOf, flat, nestedNumbers, shapeOf } from "../values.js";
import type { World } from "../world.js";
import type { Operations } from "./operation.js";

const arrays = [Float32Array, Float64Array, Int8Array, Uint16Array, Int32Array] as const;

/** The elements as numbers that a program can compare. */
export const numbersOf = (tensor: k.AnyHandle): readonly number[] =>
  Array.from(k.data(tensor as k.TensorHandle).data, Number);

export const same = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((x, i) => Object.is(x, b[i]) || x === b[i]);

/** Fails where two lists of numbers differ. */
export function expectSame(call: string, invariant: string, given: readonly number[], wanted: readonly number[]): void {
  if (!same(given, wanted))
    throw new InvariantViolation(call, invariant, `${given.slice(0, 8)} instead of ${wanted.slice(0, 8)}`);
}

function options(world: World): readonly unknown[] {
  const { random } = world;
  const dtype = dtypeOf(world);
  const grad = random.chance(0.5);
  if (random.chance(0.3)) return [{ dtype, grad, ...(random.chance(0.2) ? { device: "cpu" } : {}) }];
  return grad ? [dtype, "grad"] : [dtype];
}

export const tensorOperations: Operations = {
  tensor: (world) => {
    const { random } = world;
    const shape = shapeOf(random);
    const numbers = nestedNumbers(shape, () => random.number());
    const tensor = world.call<k.TensorHandle>("tensor", numbers, ...options(world));
    // Each of the numbers is exact in every type.
    expectSame("tensor", "other numbers than were given", numbersOf(tensor), flat(numbers));
    if (elementsOf(shape) > 0) expectSame("size", "another shape", k.size(tensor), shape);
  },
  "tensor of a typed array": (world) => {
    const { random } = world;
    const shape = shapeOf(random);
    const array = random.pick(arrays).from(random.list(elementsOf(shape), () => random.int(5)));
    const tensor = world.call<k.TensorHandle>("tensor", array, { shape, grad: false });
    expectSame("tensor", "other numbers than were given", numbersOf(tensor), Array.from(array));
    expectSame("size", "another shape", k.size(tensor), shape);
  },
  "tensor of classes": (world) => {
    const { random } = world;
    world.call(
      "tensor",
      random.list(1 + random.int(3), () => random.int(2)),
      "long",
    );
  },
  "tensor filled": (world) => {
    const { random } = world;
    const shape = [2 + random.int(3), 2];
    const tensor = world.call<k.TensorHandle>("full", shape, random.number());
    world.call("fill", tensor, 2);
    expectSame("fill", "another number", numbersOf(tensor), Array(elementsOf(shape)).fill(2));
    world.call("filldiagonal", tensor, 3, random.chance(0.5));
    const draw = random.pick(["normal", "uniform", "lognormal", "exponential", "geometric", "cauchy", "random"]);
    world.call(draw, tensor, ...(draw === "geometric" ? [0.5] : []));
    const living = world.any("tensor", "dictionary", "module");
    if (living) world.call(draw, living.handle, ...(draw === "geometric" ? [0.25] : []));
  },
  "tensor initialised": (world) => {
    const { random } = world;
    const tensor = world.call<k.TensorHandle>("full", [2 + random.int(3), 2, 3], random.number());
    world.call("dirac", tensor);
    world.call("snormal", world.call<k.TensorHandle>("full", [3, 2], 1), world.call<number>("gain", "tanh") - 1);
    const draw = random.pick(["knormal", "kuniform", "xnormal", "xuniform", "tnormal", "orthogonal"]);
    world.call(draw, tensor);
    const living = world.any("tensor", "dictionary", "module");
    if (living) world.call(random.pick(["knormal", "tnormal", "orthogonal"]), living.handle);
  },
  full: (world) => {
    const { random } = world;
    const shape = shapeOf(random);
    const value = random.number();
    const tensor = world.call<k.TensorHandle>("full", shape, value, ...options(world));
    expectSame("full", "another value", numbersOf(tensor), Array(elementsOf(shape)).fill(value));
  },
  "a tensor of 2^28 empty rows": (world) => {
    const tensor = world.call<k.TensorHandle>("full", [2 ** 28, 0], 0);
    try {
      world.call(world.random.pick(["data", "tensor", "size", "take"]), tensor);
    } finally {
      // Other operations would make lists of its shape.
      if (world.shadow.lives(tensor)) world.call("free", tensor);
    }
  },
  vector: (world) => {
    if (world.any("tensor")) {
      world.call("vector", ...world.random.list(1 + world.random.int(3), () => world.any("tensor")?.handle));
    }
  },
  dict: (world) => {
    const [a, b] = [world.any("tensor"), world.any("tensor")];
    if (a && b) world.call("dict", { a: a.handle, b: world.random.chance(0.5) ? b.handle : world.random.number() });
  },
  data: (world) => {
    const tensor = world.any("tensor");
    if (!tensor) return;
    const { data, shape } = world.call<ReturnType<typeof k.data>>("data", tensor.handle);
    const nested = world.call<k.Numbers>("tensor", tensor.handle);
    expectSame("tensor", "other numbers than data", flat(nested), Array.from(data, Number));
    expectSame("size", "another shape than data", world.call("size", tensor.handle), shape);
  },
  copyto: (world) => {
    const [source, target] = [world.any("tensor"), world.any("tensor")];
    if (!source || !target) return;
    const own = nestedNumbers(k.size(target.handle as k.TensorHandle), () => world.random.number());
    const given = world.random.chance(0.5) ? source.handle : own;
    const wanted = given === own ? flat(own) : numbersOf(source.handle);
    world.call("copyto", given, target.handle);
    const sameType = given === own || k.dtype(source.handle as never) === k.dtype(target.handle as never);
    const isWhole = ["long", "bool"].includes(k.dtype(target.handle as never));
    if (sameType && !isWhole) expectSame("copyto", "other numbers", numbersOf(target.handle), wanted);
  },
  to: (world) => {
    const { random } = world;
    const entry = world.any("tensor", "module");
    if (!entry) return;
    const dtype = dtypeOf(world);
    const where = random.pick([[dtype], ["cpu"], ["cpu", dtype]]);
    const result = world.call<k.TensorHandle | undefined>("to", entry.handle, ...where);
    if (entry.kind !== "tensor" || result === undefined) return;
    if (where.includes(dtype) && world.call("dtype", result) !== dtype)
      throw new InvariantViolation("to", "another type", dtype);
    world.call("device", result);
  },
  take: (world) => {
    const tensor = world.any("tensor");
    if (!tensor) return;
    const wanted = numbersOf(tensor.handle);
    const taken = world.call<k.Numbers>(world.random.pick(["take", "return"]), tensor.handle);
    expectSame("take", "other numbers", flat(taken), wanted);
  },
  use: (world) => {
    const kind = world.random.pick(["tensor", "vector", "dictionary"] as const);
    const [a, b] = [world.any(kind), world.any(kind)];
    if (a && b) world.call("use", a.handle, b.handle);
  },
};
