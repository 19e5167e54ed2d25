// Operations on tensors: every one of the table, with arguments of the kinds that it takes, good and odd ones.

import * as k from "@stepwell/sdk";
import { supported } from "../../engine-differences.js";
import { operationArguments, operationNames } from "../../operation-calls.js";
import { InvariantViolation } from "../invariants.js";
import type { Random } from "../random.js";
import { EndOfOperation } from "../spoil.js";
import { nestedNumbers } from "../values.js";
import { isHandle, type World } from "../world.js";
import type { Operations } from "./operation.js";

const rows = k.help("tensor");
const dtypes = [...supported("float", "double", "half", "bfloat16"), "long", "bool"] as const;

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));
const tensorNames = words("x y z weight bias min max condition mask indices source");
const wholeNames = words("dim a b first last diagonal shift index start length k low high offset dim1 dim2 p");
/** Whole numbers that say how many elements a result has. */
const sizeNames = words("n m steps bins");
const listNames = words("dims");
const flagNames = words(
  "keepdim descending largest tanh nan upper left unitriangular hermitian check pivot dataflag pivotflag complete full replace periodic",
);

const shapes: readonly (readonly number[])[] = [
  ...[[], [1], [3], [2, 2], [3, 2], [2, 3], [1, 3], [2, 2, 3], [2, 3, 2], [0], [0, 2], [2, 0], [1, 1, 1, 2]],
  ...[Array(64).fill(1), Array(63).fill(1)],
];

/** Shapes of operands that chance seldom makes fit. */
const fitting: Readonly<Record<string, readonly number[]>> = {
  ...{ "addmv x": [2, 2], "addmv y": [2], "addmv z": [2], "mv y": [2] },
  ...{ "bilinear x": [3, 2], "bilinear y": [3, 2], "bilinear weight": [3, 2, 2], "bilinear bias": [3] },
  ...{ "baddbmm x": [2, 2, 2], "baddbmm y": [2, 2, 2], "bmm x": [2, 2, 2], "bmm y": [2, 2, 2] },
};

/** Whole numbers at which sizes, indices and quotients overflow, and numbers that are not whole. */
const oddNumbers = [
  ...[-1, -2, -64, 64, 65, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 53 - 1, 2 ** 53, -(2 ** 53)],
  ...[-(2 ** 63), 2 ** 63, 2 ** 64, 0.5, -0, 1e308, -1e308, Number.NaN, Infinity, -Infinity],
];

const oddElements = [0, -0, 1, -1, 1e300, -1e300, 1e-320, 70000, Number.NaN, Infinity, -Infinity, 0.5, 1e15 + 0.5];

/** A tensor of its own; elements are at times at the ends of what the dtype holds. */
function fresh(world: World, made: k.TensorHandle[], role: string, operation: string): k.TensorHandle {
  const { random } = world;
  const own = role === "indices" ? "long" : role === "mask" || role === "condition" ? "bool" : random.pick(dtypes);
  const dtype = random.chance(0.9) ? own : random.pick(dtypes);
  const isReal = dtype !== "long" && dtype !== "bool";
  const isOdd = random.chance(0.25);
  const number = () => {
    if (dtype === "bool") return random.int(2);
    if (dtype === "long") return isOdd ? random.pick([0, -1, 1, 2 ** 53, -(2 ** 53), 63, -64]) : random.int(3);
    return isOdd ? random.pick(oddElements) : random.number();
  };
  const shape = fitting[`${operation} ${role}`] ?? (random.chance(0.5) ? [2, 2] : random.pick(shapes));
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Float64Array.from({ length: count }, number);
  const tensor = world.call<k.TensorHandle>("tensor", data, { dtype, shape, grad: isReal && random.chance(0.6) });
  made.push(tensor);
  if (dtype !== "long" || !random.chance(0.1)) return tensor;
  // -2^63, which no number of JavaScript's that is exact stands for.
  const huge = world.call<k.TensorHandle>("mul", tensor, [2 ** 53]);
  made.push(huge);
  const least = world.call<k.TensorHandle>("mul", huge, [-1024]);
  made.push(least);
  return least;
}

function operand(world: World, made: k.TensorHandle[], role: string, isApart: boolean, operation: string): unknown {
  const { random } = world;
  if (random.chance(0.15)) return random.pick([2, -1, 0, 0.5, true, [1, 0], [true, false], [[0, 1]], Number.NaN, []]);
  if (isApart || random.chance(0.2)) return fresh(world, made, role, operation);
  return world.any("tensor")?.handle ?? fresh(world, made, role, operation);
}

const whole = (random: Random): number => (random.chance(0.8) ? random.int(5) - 1 : random.pick(oddNumbers));
/** A machine has the memory for some odd sizes, and would be busy with them for minutes. */
const oddSizes = oddNumbers.filter((size) => !(size >= 2 ** 20 && size < 2 ** 40));
const size = (random: Random): number => (random.chance(0.8) ? random.int(5) - 1 : random.pick(oddSizes));

function argument(world: World, made: k.TensorHandle[], operation: string, name: string, isApart: boolean): unknown {
  const { random } = world;
  if (name === "tensors") {
    const list = random.list(random.int(4), () => operand(world, made, name, isApart, operation));
    return list.length > 0 && random.chance(0.5) ? [list[0], list[0]] : list;
  }
  if (["clamp", "hardtanh"].includes(operation) && ["min", "max"].includes(name)) {
    if (random.chance(0.3) && operation === "clamp") return null;
    if (random.chance(0.5)) return random.number();
  }
  if (operation === "hardtanh" && name !== "x") return random.number();
  if (tensorNames.has(name)) return operand(world, made, name, isApart, operation);
  if (name === "dtype") return random.pick(dtypes);
  if (flagNames.has(name)) return random.chance(0.5);
  if (name === "shape")
    return random.chance(0.8) ? random.pick(shapes) : random.list(random.int(4), () => size(random));
  if (listNames.has(name)) return random.list(random.int(4), () => whole(random));
  // `dim` may be several dimensions.
  if (name === "dim" && random.chance(0.15)) return random.list(random.int(3), () => whole(random));
  if (wholeNames.has(name)) return whole(random);
  if (sizeNames.has(name)) return size(random);
  return random.chance(0.7) ? random.pick([0, 1, 2, -1, 0.5]) : random.pick(oddNumbers);
}

/** The elements of a result, of which there are as many as its shape says. */
function check(name: string, tensor: k.TensorHandle): void {
  const { data, shape } = k.data(tensor);
  const count = shape.reduce((product, size) => product * size, 1);
  if (data.length !== count)
    throw new InvariantViolation(name, "another number of elements than its shape", `${data.length} of ${shape}`);
}

/** Calls an operation on new tensors, with a backward pass; or on living ones, and keeps the results. */
function apply(world: World, { operation, arguments: names }: (typeof rows)[number]): void {
  const { random } = world;
  const isApart = random.chance(0.75);
  const before = world.isTainted;
  const made: k.TensorHandle[] = [];
  const results: k.TensorHandle[] = [];
  try {
    const given = names.map((name) => argument(world, made, operation, name, isApart));
    const count = random.chance(0.3) ? random.int(given.length + 1) : given.length;
    const first = given.slice(0, count);
    const named = Object.fromEntries(names.slice(count).map((name, i) => [name, given[count + i]]));
    const rest = count < given.length && random.chance(0.5) ? [named] : [];
    // Other operations may divide by results, or train with them.
    world.isTainted = true;
    const result = world.call<unknown>(operation, ...first, ...rest);
    for (const tensor of [result].flat()) if (isHandle(tensor)) results.push(tensor as k.TensorHandle);
    for (const tensor of results) check(operation, tensor);
    if (isApart) writeAndCompare(world, operation, results, made);
    if (isApart && random.chance(0.5) && results[0] !== undefined && k.gradflag(results[0]) === true) {
      const sum = world.call<k.TensorHandle>("sum", results[0]);
      results.push(sum);
      world.call("backward", sum);
    }
  } finally {
    if (isApart) world.isTainted = before;
    const ended = [...made, ...(isApart || results.length > 4 ? results : [])].filter((x) => world.shadow.lives(x));
    if (ended.length > 0) world.call("free", ...ended);
  }
}

/** A write to a result changes no argument. */
function writeAndCompare(
  world: World,
  name: string,
  results: readonly k.TensorHandle[],
  made: readonly k.TensorHandle[],
) {
  const [result] = results;
  if (result === undefined || k.elements(result) === 0 || !world.random.chance(0.2)) return;
  const elements = () => made.map((tensor) => Array.from(k.data(tensor).data, String).join());
  const before = elements();
  world.call(
    "copyto",
    nestedNumbers(k.size(result) as readonly number[], () => 1),
    result,
  );
  const after = elements();
  if (String(after) !== String(before))
    throw new InvariantViolation(name, "a result that shares memory with an argument", `${before} became ${after}`);
}

/** Calls an operation with the arguments of a recording, which fit it. */
function applyRecorded(world: World, name: string): void {
  const made: k.TensorHandle[] = [];
  const args = operationArguments(name, (tensor) => {
    const { data, shape } = k.data(tensor);
    const dtype = k.dtype(tensor);
    k.free(tensor);
    made.push(world.call<k.TensorHandle>("tensor", data, { dtype, shape }));
    return made.at(-1);
  });
  try {
    const result = world.call<unknown>(name, ...args);
    made.push(...[result].flat().filter((item): item is k.TensorHandle => isHandle(item)));
  } finally {
    world.call("free", ...made);
  }
}

/** An error of one call leaves the next one as it was. */
function each<Item>(items: readonly Item[], apply: (item: Item) => void): void {
  for (const item of items) {
    try {
      apply(item);
    } catch (error) {
      if (!(error instanceof k.StepwellError) || error instanceof EndOfOperation) throw error;
    }
  }
}

export const mathematicsOperations: Operations = {
  recorded: (world) => {
    const names = world.random.list(8, () => world.random.pick(operationNames));
    each(names, (name) => applyRecorded(world, name));
  },
  ...Object.fromEntries(
    [...new Set(rows.map(({ family }) => family))].map((family) => {
      const own = rows.filter((row) => row.family === family);
      return [
        family,
        (world: World) => {
          const rows = world.random.list(3, () => world.random.pick(own));
          each(rows, (row) => apply(world, row));
        },
      ];
    }),
  ),
};
