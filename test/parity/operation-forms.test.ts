// Every operation on tensors of 16 bits, of whole numbers and of bool, with NaN and infinity, empty and 0-dim, against recordings of
// PyTorch 2.11.

import { readFileSync } from "node:fs";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { isLacking, supported } from "../engine-differences.js";
import { answers, floats, refusals, roundedOnce } from "./operation-form-differences.js";

afterEach(() => k.free());

type Numbers = readonly (number | string)[];
type Recorded = readonly [dtype: k.ElementType, shape: readonly number[], elements: Numbers];
type Form = "half" | "bfloat16" | "long" | "bool" | "special" | "empty" | "empty first" | "0-dim";
/** The outputs, a plain boolean, or the first words of PyTorch's error. */
type Outputs = readonly Recorded[] | boolean | string;
type Row = readonly [name: string, form: Form, outputs: Outputs, gradients: readonly (Numbers | null)[] | null];

const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as unknown;
const { rows } = read("operation_forms.json") as { readonly rows: readonly Row[] };
const { inputs, cases } = read("operations.json") as {
  readonly inputs: Readonly<Record<string, Recorded>>;
  readonly cases: readonly (readonly [name: string, args: readonly unknown[], options: object])[];
};

const numbersOf = (list: Numbers) => list.map((x) => (x === "inf" ? Infinity : x === "-inf" ? -Infinity : Number(x)));

/** An input in a form, as `FORMS` of record_operation_forms.py. `n` is its number among the tensors of the call. */
function inForm(
  [dtype, shape, elements]: Recorded,
  form: Form,
  n: number,
): readonly [k.ElementType, readonly number[], number[]] {
  const numbers = numbersOf(elements);
  const isFloat = dtype === "double";
  if (form === "empty" || form === "empty first") {
    const isKept = shape.length === 0 || (form === "empty first" && n > 0);
    return isKept ? [dtype, shape, numbers] : [dtype, [0, ...shape.slice(1)], []];
  }
  if (form === "0-dim") return numbers.length > 0 ? [dtype, [], numbers.slice(0, 1)] : [dtype, shape, numbers];
  if (!isFloat) return [dtype, shape, numbers];
  if (form === "special") {
    const front = [Number.NaN, Infinity, -Infinity];
    return [dtype, shape, numbers.map((x, i) => front[i] ?? x)];
  }
  if (form === "long") return ["long", shape, numbers.map(Math.floor)];
  if (form === "bool") return ["bool", shape, numbers.map((x) => Number(x > 0))];
  return [form, shape, numbers];
}

/** The arguments of the first case of an operation in a form, and the leaves among them. `inDoubles`: numbers of the form as doubles. */
function argumentsOf(name: string, form: Form, inDoubles = false) {
  const [, args, options] = cases.find(([recorded]) => recorded === name) as (typeof cases)[number];
  const leaves: k.TensorHandle[] = [];
  let count = 0;
  const value = (x: unknown): unknown => {
    const input = typeof x === "string" ? inputs[x.replace("!", "")] : undefined;
    if (input !== undefined) {
      const [dtype, shape, numbers] = inForm(input, form, count++);
      const grad = dtype === "double" && !(x as string).startsWith("!");
      const own = inDoubles && input[0] === "double" ? "double" : dtype;
      const made = k.tensor(Float64Array.from(numbers), { dtype: own, shape, grad });
      if (grad) leaves.push(made);
      return made;
    }
    if (x === "inf" || x === "-inf") return x === "inf" ? Infinity : -Infinity;
    return Array.isArray(x) && typeof x[0] === "string" ? x.map(value) : x;
  };
  return { given: [...args.map(value), ...(Object.keys(options).length > 0 ? [options] : [])], leaves };
}

/**
 * Tolerances by dtype, relative and absolute: of double 1e-12; else the defaults of `torch.testing.assert_close`. Sums of 16 bits are
 * rounded to the magnitude of their terms, so the largest element counts for all.
 */
const tolerances: Readonly<Record<string, readonly [number, number]>> = {
  double: [1e-12, 1e-12],
  float: [1.3e-6, 1e-5],
  half: [1e-3, 1e-5],
  bfloat16: [1.6e-2, 1e-5],
};

function expectNear(found: readonly number[], expected: readonly number[], dtype: k.ElementType) {
  const [relative, least] = tolerances[dtype] ?? [0, 0];
  const is16Bits = dtype === "half" || dtype === "bfloat16";
  const largest = Math.max(0, ...expected.map(Math.abs).filter(Number.isFinite));
  const absolute = is16Bits ? Math.max(least, relative * largest) : least;
  const isNear = (x: number, y: number) =>
    Object.is(x, y) || x === y || Math.abs(x - y) <= absolute + relative * Math.abs(y);
  const isEqual = found.length === expected.length && found.every((x, i) => isNear(x, expected[i] as number));
  if (!isEqual) expect(found).toEqual(expected);
}

/** A tensor whose element is the sum of all roots, each element times 1, 2, 3, ... */
function weighted(roots: readonly k.TensorHandle[]): k.TensorHandle {
  const sums = roots.map((y) => {
    const shape = k.size(y) as readonly number[];
    const count = shape.reduce((product, size) => product * size, 1);
    const weights = Float64Array.from({ length: count }, (_, i) => i + 1);
    return k.sum(k.mul(y, k.tensor(weights, { dtype: k.dtype(y), shape })));
  });
  return sums.reduce((sum, next) => k.add(sum, next));
}

const functions = k as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

/** The outputs of an operation on doubles of the numbers that a form has. */
function outputsOfDoubles(name: string, form: Form): readonly (readonly number[])[] {
  return elementsOf(functions[name]?.(...argumentsOf(name, form, true).given));
}

const tensorsOf = (result: unknown) => (Array.isArray(result) ? result : [result]) as k.TensorHandle[];
const elementsOf = (result: unknown) => tensorsOf(result).map((y) => [...k.data(y).data].map(Number));

/** The error that a function throws, and that it makes no object. */
function refusalOf(run: () => unknown): string {
  const before = k.handlecount();
  try {
    run();
  } catch (error) {
    expect(k.handlecount()).toBe(before);
    return `${(error as k.StepwellError).code}: ${(error as Error).message}`;
  }
  return "none";
}

/** Codes of a refusal where PyTorch refuses, too. */
const refusal = /^ERR_(SHAPE|DTYPE|ARGUMENT|OPTION_RANGE): /;
/** An algorithm fails on NaN, or on a matrix that is not positive-definite. */
const failure = /^ERR_ENGINE: .*(linalg\.\w+: |INTERNAL ASSERT)/;

function replay([name, form, expected, gradients]: Row) {
  const { given, leaves } = argumentsOf(name, form);
  const run = () => functions[name]?.(...given);
  const key = `${name} ${form}`;
  if (isLacking(name, given)) {
    // The dtype or the shape may be refused before.
    expect(refusalOf(run)).toMatch(/^ERR_(UNSUPPORTED|DTYPE|SHAPE): /);
    return;
  }
  const code = refusals.get(key);
  if (code !== undefined) {
    expect(refusalOf(run)).toMatch(new RegExp(`^${code}: `));
    expect(typeof expected, "PyTorch has a result").not.toBe("string");
    return;
  }
  if (typeof expected === "string" && !answers.has(key)) {
    const mayFail = form === "special" || form === "bool";
    const message = refusalOf(run);
    if (!mayFail || !failure.test(message)) expect(message).toMatch(refusal);
    return;
  }
  const result = run();
  if (typeof expected === "boolean") {
    expect(result).toBe(expected);
    return;
  }
  if (typeof expected === "string" || roundedOnce.has(key)) {
    const doubles = outputsOfDoubles(name, form);
    for (const [i, y] of tensorsOf(result).entries())
      expectNear([...k.data(y).data].map(Number), doubles[i] as number[], k.dtype(y));
    return;
  }
  const outputs = tensorsOf(result);
  const dtypeOf = (dtype: k.ElementType) => (floats.has(key) ? "float" : dtype);
  expect(outputs.map((y) => [k.dtype(y), k.size(y)])).toEqual(
    expected.map(([dtype, shape]) => [dtypeOf(dtype), shape]),
  );
  for (const [i, elements] of elementsOf(result).entries()) {
    const [dtype, , recorded] = expected[i] as Recorded;
    expectNear(elements, numbersOf(recorded), dtype);
  }
  if (gradients === null) return;
  k.backward(weighted(outputs.filter((y) => k.gradflag(y) === true)));
  for (const [i, x] of leaves.entries()) {
    const found = [k.grad(x) ?? []].flat(9) as number[];
    const expectedGradient = numbersOf(gradients[i] ?? []);
    // PyTorch has no gradient where nothing flows; zeros mean the same.
    expectNear(expectedGradient.length === 0 ? found.filter((g) => g !== 0) : found, expectedGradient, "double");
  }
}

const has16Bits = supported("half").length > 0;
const runs = rows.filter(([, form]) => has16Bits || (form !== "half" && form !== "bfloat16"));

describe.each([...new Set(runs.map(([, form]) => form))])("%s", (form) => {
  it.each(runs.filter((row) => row[1] === form).map((row) => [row[0], row] as const))("%s equals PyTorch", (_, row) =>
    replay(row),
  );
});
