import { readFileSync } from "node:fs";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectNear, type Tolerance } from "./near.js";

const dtypes = supported("double", "float", "bfloat16");
type Dtype = (typeof dtypes)[number];
/** Numbers in lists; null is -infinity. */
type Nested = number | boolean | null | readonly Nested[];
type Named = Readonly<Record<string, k.Numbers>>;

interface Input {
  readonly kind: "number" | "long" | "bool";
  readonly numbers?: Nested;
  /** Of an input without numbers. */
  readonly shape?: readonly number[];
}

interface Expected {
  readonly outputs: readonly k.Numbers[];
  readonly shapes: readonly (readonly number[])[];
  readonly gradients?: Named;
  readonly inputGradients?: readonly (k.Numbers | null)[];
  readonly trained?: Named;
}

interface Recording {
  readonly name: string;
  readonly module: k.ModuleSpecification;
  readonly parameters: Named;
  readonly inputs: readonly (Input | null)[];
  readonly weights: readonly k.Numbers[];
  readonly expected: Record<Dtype, Expected>;
}

interface Recordings {
  readonly tolerance: Record<Dtype, Tolerance>;
  /** After training. */
  readonly trained: Partial<Record<Dtype, Tolerance>>;
  readonly recordings: readonly Recording[];
}

const file: Recordings = JSON.parse(readFileSync(new URL("./sequence.json", import.meta.url), "utf8"));

afterEach(() => k.free());

function make({ module, parameters }: Recording, dtype: Dtype): k.ModuleHandle {
  const m = k.module(module);
  k.to(m, dtype);
  // Names and order are PyTorch's, so that a file of PyTorch fits.
  expect(k.parmnames(m)).toEqual(Object.keys(parameters));
  for (const [name, values] of Object.entries(parameters)) k.copyto(values, k.parm(m, name));
  return m;
}

const infinite = (numbers: Nested): k.Numbers =>
  Array.isArray(numbers) ? numbers.map(infinite) : numbers === null ? Number.NEGATIVE_INFINITY : Number(numbers);

/** An input as a tensor; one that is missing as one of shape [0]. */
function tensor(input: Input | null, dtype: Dtype): k.TensorHandle {
  if (input === null) return k.tensor([], dtype);
  const { kind, numbers = [], shape } = input;
  const given = kind === "number" ? dtype : kind;
  if (shape !== undefined) return k.full(shape, 0, given);
  return kind === "number" ? k.tensor(infinite(numbers), given, "grad") : k.cast(k.tensor(infinite(numbers)), given);
}

/** The outputs of a module. */
function forward(m: k.ModuleHandle, inputs: readonly k.TensorHandle[]): readonly k.TensorHandle[] {
  const given = inputs as [k.TensorHandle, ...k.TensorHandle[]];
  const outputs: unknown = k.forward(m, ...given);
  return (Array.isArray(outputs) ? outputs : [outputs]) as readonly k.TensorHandle[];
}

/** The sum over the outputs of a function of each with its weights. */
function summed(
  outputs: readonly k.TensorHandle[],
  weights: readonly k.Numbers[],
  each: (output: k.TensorHandle, weights: k.TensorHandle) => k.TensorHandle,
): k.TensorHandle {
  const terms = outputs.map((output, i) => each(output, k.tensor(weights[i] as k.Numbers, k.dtype(output))));
  return terms.reduce((sum, term) => k.add(sum, term));
}

describe.each(dtypes)("in %s a module for sequences gives what PyTorch's gives", (dtype) => {
  const near = (what: string, ours: k.Numbers | undefined, theirs: k.Numbers) =>
    expectNear(what, ours, theirs, file.tolerance[dtype]);

  it.each(file.recordings)("$name", (recording) => {
    const expected = recording.expected[dtype];
    const m = make(recording, dtype);
    const inputs = recording.inputs.map((input) => tensor(input, dtype));
    const outputs = forward(m, inputs);
    expect(outputs.map((output) => k.size(output))).toEqual(expected.shapes);
    // Lists without numbers have no shape.
    if (expected.shapes.some((shape) => shape.includes(0))) return;
    for (const [i, output] of outputs.entries())
      near(`output ${i}`, k.tensor(output), expected.outputs[i] as k.Numbers);
    if (expected.gradients === undefined) return;
    k.backward(summed(outputs, recording.weights, (output, weights) => k.sum(k.mul(output, weights))));
    for (const [name, theirs] of Object.entries(expected.gradients)) {
      near(`gradient of ${name}`, k.grad(k.parm(m, name)), theirs);
    }
    for (const [i, theirs] of (expected.inputGradients ?? []).entries()) {
      if (theirs !== null) near(`gradient of input ${i}`, k.grad(inputs[i] as k.TensorHandle), theirs);
    }
  });

  it.each(file.recordings.filter(({ expected }) => expected[dtype].trained))("$name, trained", (recording) => {
    const m = make(recording, dtype);
    const optimizer = k.opt("sgd", m, { lr: 0.05, momentum: 0.9 });
    const inputs = recording.inputs.map((input) => tensor(input, dtype));
    for (let step = 0; step < 10; step++) {
      k.zerograd(optimizer);
      const squares = (output: k.TensorHandle, target: k.TensorHandle) => k.mse(output, target);
      k.backward(summed(forward(m, inputs), recording.weights, squares));
      k.step(optimizer);
    }
    for (const [name, theirs] of Object.entries(recording.expected[dtype].trained ?? {})) {
      expectNear(`${name} after the steps`, k.tensor(k.parm(m, name)), theirs, file.trained[dtype] as Tolerance);
    }
  });
});
