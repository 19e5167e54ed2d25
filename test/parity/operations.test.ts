// Every operation of the table against recordings of PyTorch 2.11: values, dtypes, shapes and gradients.

import { readFileSync } from "node:fs";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { isLacking } from "../engine-differences.js";

afterEach(() => k.free());

type Recorded = readonly [dtype: k.ElementType, shape: readonly number[], elements: readonly (number | string)[]];
type Result =
  | boolean
  | readonly [outputs: readonly Recorded[], gradients: readonly ((number | string)[] | null)[] | null];
type Case = readonly [name: string, args: readonly unknown[], options: object, double: Result, float: Result];

const recordings = JSON.parse(readFileSync(new URL("operations.json", import.meta.url), "utf8")) as {
  readonly inputs: Readonly<Record<string, Recorded>>;
  readonly cases: readonly Case[];
};

const numbers = (list: readonly (number | string)[]) =>
  list.map((x) => (x === "inf" ? Infinity : x === "-inf" ? -Infinity : Number(x)));

/** Makes a named input, and puts it among the leaves if it has a gradient. */
function input(name: string, dtype: "double" | "float", leaves: k.TensorHandle[]): k.TensorHandle {
  const [own, shape, elements] = recordings.inputs[name.replace("!", "")] as Recorded;
  const floating = own === "double";
  const options = { dtype: floating ? dtype : own, shape, grad: floating && !name.startsWith("!") } as const;
  const x = k.tensor(Float64Array.from(numbers(elements)), options);
  if (options.grad) leaves.push(x);
  return x;
}

/** Tolerances: of double 1e-12; of float the defaults of `torch.testing.assert_close`. */
const tolerances = { double: [1e-12, 1e-12], float: [1.3e-6, 1e-5] } as const;

function expectNear(
  found: readonly number[],
  expected: readonly number[],
  [relative, absolute]: readonly [number, number],
) {
  expect(found.length).toBe(expected.length);
  for (const [i, x] of found.entries()) {
    const y = expected[i] as number;
    if (Object.is(x, y) || x === y) continue;
    const isNear = Math.abs(x - y) <= absolute + relative * Math.abs(y);
    if (!isNear) expect(found).toEqual(expected);
  }
}

const functions = k as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

function replay([name, args, options, double, float]: Case, dtype: "double" | "float") {
  const expected = dtype === "double" ? double : float;
  const leaves: k.TensorHandle[] = [];
  const isName = (x: unknown): x is string =>
    typeof x === "string" && Object.hasOwn(recordings.inputs, x.replace("!", ""));
  const value = (x: unknown): unknown => {
    if (isName(x)) return input(x, dtype, leaves);
    if (x === "inf" || x === "-inf") return x === "inf" ? Infinity : -Infinity;
    return Array.isArray(x) && isName(x[0]) ? x.map(value) : x;
  };
  const given = args.map(value);
  const call = functions[name] as (...args: readonly unknown[]) => unknown;
  const run = () => (Object.keys(options).length > 0 ? call(...given, options) : call(...given));
  if (isLacking(name, given)) {
    expect(() => run()).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED" }));
    return;
  }
  const result = run();
  if (typeof expected === "boolean") {
    expect(result).toBe(expected);
    return;
  }
  const outputs = (Array.isArray(result) ? result : [result]) as k.TensorHandle[];
  expect(outputs.map((y) => [k.dtype(y), k.size(y)])).toEqual(expected[0].map(([type, shape]) => [type, shape]));
  for (const [i, y] of outputs.entries()) {
    const [type, , elements] = expected[0][i] as Recorded;
    expectNear(
      [...k.data(y).data].map(Number),
      numbers(elements),
      type === "double" ? tolerances.double : tolerances.float,
    );
  }
  const roots = outputs.filter((y) => k.gradflag(y) === true);
  expect(roots.length > 0).toBe(expected[1] !== null);
  if (expected[1] === null) return;
  let loss: k.TensorHandle | undefined;
  for (const y of roots) {
    const shape = k.size(y) as readonly number[];
    const count = shape.reduce((product, size) => product * size, 1);
    const weights = k.tensor(
      Float64Array.from({ length: count }, (_, i) => i + 1),
      { dtype: k.dtype(y), shape },
    );
    const sum = k.sum(k.mul(y, weights));
    loss = loss === undefined ? sum : k.add(loss, sum);
  }
  k.backward(loss as k.TensorHandle);
  for (const [i, x] of leaves.entries()) {
    const gradient = expected[1][i];
    const found = k.grad(x);
    if (gradient === null || gradient === undefined) {
      expect(found === undefined || [found].flat(9).every((g) => g === 0)).toBe(true);
    } else {
      const shape = (
        recordings.inputs[
          String(
            args.flat(1).filter((a) => isName(a) && !a.startsWith("!") && recordings.inputs[a]?.[0] === "double")[i],
          )
        ] as Recorded
      )[1];
      expect(shape.reduce((product, size) => product * size, 1)).toBe(gradient.length);
      expectNear([found].flat(9) as number[], numbers(gradient), tolerances[dtype]);
    }
  }
}

describe.each(["double", "float"] as const)("%s", (dtype) => {
  it.each(
    recordings.cases.map((row, i) => [`${row[0]} ${JSON.stringify(row[1])} ${JSON.stringify(row[2])}`, i] as const),
  )("%s equals PyTorch", (_, i) => replay(recordings.cases[i] as Case, dtype));
});

it("every operation is recorded but for random ones, and vectors whose sign is free", () => {
  const recorded = new Set(recordings.cases.map(([name]) => name));
  const names = k.help("tensor").map(({ operation }) => operation);
  expect(names.length).toBeGreaterThan(150);
  expect(names.filter((name) => !recorded.has(name))).toEqual([
    "svd",
    "eigh",
    "rand",
    "randn",
    "randint",
    "bernoulli",
    "multinomial",
  ]);
});
