// Every operation of the table against recordings of PyTorch 2.11: values, dtypes, shapes and gradients, also of inputs that are views.

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

/** The layout of an input in memory: by rows, by columns, or as a part of a larger tensor. */
type Layout = "rows" | "columns" | "part";

/** A tensor with a gradient, and how its gradient becomes the one of the input. */
interface Leaf {
  readonly tensor: k.TensorHandle;
  readonly back: (gradient: k.TensorHandle) => k.TensorHandle;
}

/** A tensor of equal elements in another layout, and the leaf that it is a view of. */
function inLayout(layout: Layout, x: k.TensorHandle, grad: boolean): readonly [k.TensorHandle, Leaf] {
  const copyOf = (y: k.TensorHandle) =>
    k.tensor(k.data(y).data as Float64Array, { dtype: k.dtype(x), shape: k.size(y), grad });
  const last = k.dim(x) - 1;
  if (layout === "columns" && last > 0) {
    const reversed = Array.from({ length: last + 1 }, (_, i) => last - i);
    const leaf = copyOf(k.permute(x, reversed));
    return [k.permute(leaf, reversed), { tensor: leaf, back: (gradient) => k.permute(gradient, reversed) }];
  }
  if (layout === "part" && last >= 0) {
    const length = k.size(x)[last] as number;
    const edge = k.zeros([...k.size(x).slice(0, last), 1], k.dtype(x));
    const leaf = copyOf(k.cat([edge, x, edge], last));
    return [k.narrow(leaf, last, 1, length), { tensor: leaf, back: (gradient) => k.narrow(gradient, last, 1, length) }];
  }
  const leaf = copyOf(x);
  return [leaf, { tensor: leaf, back: (gradient) => gradient }];
}

/** Makes a named input, and puts its leaf among the leaves if it has a gradient. */
function input(name: string, dtype: "double" | "float", layout: Layout, leaves: Leaf[]): k.TensorHandle {
  const [own, shape, elements] = recordings.inputs[name.replace("!", "")] as Recorded;
  const floating = own === "double";
  const x = k.tensor(Float64Array.from(numbers(elements)), { dtype: floating ? dtype : own, shape });
  const grad = floating && !name.startsWith("!");
  const [view, leaf] = inLayout(layout, x, grad);
  if (grad) leaves.push(leaf);
  return view;
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

function replay([name, args, options, double, float]: Case, dtype: "double" | "float", layout: Layout) {
  const expected = dtype === "double" ? double : float;
  const leaves: Leaf[] = [];
  const isName = (x: unknown): x is string =>
    typeof x === "string" && Object.hasOwn(recordings.inputs, x.replace("!", ""));
  const value = (x: unknown): unknown => {
    if (isName(x)) return input(x, dtype, layout, leaves);
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
  for (const [i, { tensor, back }] of leaves.entries()) {
    const gradient = expected[1][i];
    const whole = k.grad(tensor);
    const shape = k.size(tensor);
    const found =
      whole === undefined
        ? undefined
        : k.data(back(k.tensor(Float64Array.from([whole].flat(9) as number[]), { dtype, shape })));
    if (gradient === null || gradient === undefined) {
      expect([...(found?.data ?? [])].every((g) => Number(g) === 0)).toBe(true);
    } else {
      const shape = (
        recordings.inputs[
          String(
            args.flat(1).filter((a) => isName(a) && !a.startsWith("!") && recordings.inputs[a]?.[0] === "double")[i],
          )
        ] as Recorded
      )[1];
      expect(shape.reduce((product, size) => product * size, 1)).toBe(gradient.length);
      expectNear([...(found?.data ?? [])].map(Number), numbers(gradient), tolerances[dtype]);
    }
  }
}

describe.each([
  ["double", "rows"],
  ["float", "rows"],
  ["double", "columns"],
  ["double", "part"],
] as const)("%s, inputs as %s", (dtype, layout) => {
  it.each(
    recordings.cases.map((row, i) => [`${row[0]} ${JSON.stringify(row[1])} ${JSON.stringify(row[2])}`, i] as const),
  )("%s equals PyTorch", (_, i) => replay(recordings.cases[i] as Case, dtype, layout));
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
