// Good arguments, drawn at random: small shapes, moderate numbers, layers that fit.

import * as k from "@stepwell/sdk";
import { differences, supported } from "../engine-differences.js";
import type { Random } from "./random.js";
import type { Entry, Kind } from "./shadow.js";
import type { World } from "./world.js";

export const optimizerNames = k.help("optimizer").map((row) => row.optimizer);
export const lossNames = ["mse", "l1", "smoothl1", "ce", "nll", "bce", "bcewithlogits"] as const;
export const floats = supported("float", "double", "half", "bfloat16");

const shapes: readonly (readonly number[])[] = [[], [1], [2], [3], [2, 2], [3, 2], [1, 2, 3], [0, 2], [2, 1, 3, 3]];

export const shapeOf = (random: Random): readonly number[] => random.pick(shapes);
export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Nested numbers of a shape; of one number where it would be more lists than memory holds. */
export function nestedNumbers(shape: readonly number[], make: () => number): k.Numbers {
  if (shape.some((size) => size > 1000)) return [make()];
  const [size, ...rest] = shape;
  return size === undefined ? make() : Array.from({ length: size }, () => nestedNumbers(rest, make));
}

/** Nested numbers one after the other. */
export const flat = (numbers: k.Numbers): readonly number[] =>
  typeof numbers === "number" ? [numbers] : numbers.flatMap(flat);

/** A type, most often one with a wide range. */
export function dtypeOf(world: World): k.Dtype {
  const { random } = world;
  const dtype = random.chance(0.8) ? random.pick(["float", "double"] as const) : random.pick(floats);
  // Its range ends soon: numbers become infinite in a step or two.
  if (dtype === "half") world.isTainted = true;
  return dtype;
}

export function moduleSpecification(random: Random): k.ModuleSpecification {
  const activation = () => random.pick(["relu", "tanh", "gelu", "sigmoid"] as const);
  const makers: readonly (() => k.ModuleSpecification)[] = [
    () => ["linear", 2, 2],
    () => ["linear", "a", 2, 3],
    () => ["linear", 2, 2, { bias: false }],
    () => k.seq("sequential", ["linear", "a", 2, 4], activation(), ["linear", "b", 4, 2]),
    () => k.seq(["sequential", "net"], k.seq("sequential", ["linear", 2, 3]), ["batchnorm", 3], ["linear", 3, 2]),
    () => k.seq("sequential", ["linear", 2, 3], ["dropout", 0.5], ["linear", 3, 2]),
    () => ["layernorm", 2],
    () => ["embedding", 3, 2],
    () => ["embedding", 3, 2, { padindex: 1, maxnorm: 0.5 }],
    () => k.seq("sequential", ["embedseq", 3, 2, 4], ["encoder", 2, 1, 1, 3, 0.5]),
    () => k.seq("sequential", ["onehot", 3], ["linear", 3, 2]),
    () => ["embedbag", 3, 2, { mode: random.pick(["sum", "mean", "max"] as const) }],
    () => ["attention", 2, 1, { causal: true }],
    () => ["transformer", 2, 1, 1, 1, 3],
    () => k.seq("sequential", ["conv2d", 1, 2, 2], ["maxpool2d", 2], "flatten", ["linear", 2, 2]),
    () => ["conv2d", 1, 2, 3],
    () => k.seq("sequential", ["convtranspose2d", 1, 2, 2, 2], ["avgpool2d", 3, 2, 1], ["adaptavg2d", 1], "flatten"),
    () => k.seq("sequential", ["pad2d", 1], ["upsample", null, 2, "bilinear"], ["fmaxpool2d", 2, null, 0.5]),
    () => k.seq("sequential", ["unfold", 2], ["conv1d", 4, 2, 3], ["maxpool1d", 2, { ceiling: true }]),
    () => "relu",
    () => "sequential",
    () => k.seq("residual", k.seq("sequential", ["linear", 2, 2]), activation()),
    () => k.seq("seqjoin", k.seq("sequential", ["linear", 2, 3]), k.seq("sequential", ["linear", 2, 1]), ["cat", -1]),
    // A fork alone would give two outputs, which no other call here takes.
    () => k.seq("sequential", k.seq("fork", ["linear", 2, 2], activation()), ["cat", 1]),
    () => k.seq("modulelist", ["linear", 2, 2]),
  ];
  return random.pick(makers)();
}

/** An input that one of the modules takes. */
export function inputOf(world: World): k.TensorHandle | k.TensorData {
  const { random } = world;
  const number = () => random.number();
  const tensor = world.any("tensor");
  if (tensor && random.chance(0.3)) return tensor.handle as k.TensorHandle;
  const makers: readonly (() => k.TensorData)[] = [
    () => nestedNumbers([2, 2], number),
    () => nestedNumbers([3, 2], number),
    () => nestedNumbers([2, 1, 3, 3], number),
    () => [0, 1, 2],
  ];
  return random.pick(makers)();
}

/** Every option of each optimizer with its default, those beyond the k-api too. */
const optionRows = new Map(optimizerNames.map((name) => [name, Object.entries(k.help(name, true))] as const));

/** Options of an optimizer, most of them good, some with one another only. */
export function optimizerOptions({ random }: World, name: k.OptimizerName): Record<string, unknown> {
  const options: Record<string, unknown> = { lr: random.pick([0, 0.01, 0.1]) };
  const value = (own: unknown) => {
    if (typeof own === "boolean") return random.chance(0.5);
    if (typeof own === "number") return random.pick([own, 0, 0.5, 0.9, 1, 2]);
    return random.pick([own, null, 0.9, 1, "wolfe", "bfloat16"]);
  };
  for (const [key, own] of optionRows.get(name) ?? []) {
    if (key !== "lr" && random.chance(0.1)) options[key] = value(own);
  }
  if (random.chance(0.2)) options.fused = random.pick(differences.implementations);
  if (random.chance(0.2)) options.offload = random.chance(0.7);
  return options;
}

/** Words of all kinds that functions take. */
export const words: readonly string[] = [
  ...["grad", "float", "double", "half", "bfloat16", "long", "cpu", "cuda", "cuda:1", "mean", "none", "sum"],
  ...["linear", "conv2d", "sequential", "relu", "dropout", "weight", "a", "a.weight", "b.bias", "0", "parms"],
  ...["adam", "sgd", "lbfgs", "lamb", "optimizer", "module", "schedule", "preset", "alloptions", "mse", "ce"],
];

/** Everything that an optimizer can be made of. */
export const trainable: readonly Kind[] = ["module", "tensor", "vector", "dictionary", "model"];

export const handlesOf = (entries: readonly Entry[]) => entries.map((entry) => entry.handle);
