import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { differences, supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

/** Every dtype with its other name, the bytes of an element and the array that elements come in. */
const every = [
  { dtype: "float", other: "float32", bytes: 4, array: Float32Array },
  { dtype: "double", other: "float64", bytes: 8, array: Float64Array },
  { dtype: "half", other: "float16", bytes: 2, array: Float32Array },
  { dtype: "bfloat16", other: "bfloat16", bytes: 2, array: Float32Array },
  { dtype: "long", other: "int64", bytes: 8, array: BigInt64Array },
  { dtype: "bool", other: "bool", bytes: 1, array: Uint8Array },
] as const;
const dtypes = every.filter(({ dtype }) => differences.dtypes.includes(dtype));
const names = dtypes.map(({ dtype }) => dtype);

type Reduced = "half" | "bfloat16";
const reduced: readonly Reduced[] = supported("half", "bfloat16");
const isReduced = (dtype: string) => reduced.some((name) => name === dtype);

/** A number, its rounded value, and PyTorch's value, each by the bits of a double. */
type Row = readonly [given: string, rounded: string, pytorch: string];

interface Recordings {
  readonly rounding: Readonly<Record<Reduced, readonly Row[]>>;
  readonly files: Readonly<Record<Reduced, string>>;
  readonly elements: Readonly<Record<Reduced, Readonly<Record<"weight" | "bias", readonly string[]>>>>;
}

const recordings: Recordings = JSON.parse(readFileSync(new URL("../parity/dtypes.json", import.meta.url), "utf8"));
const numberOf = (bits: string) => Buffer.from(bits, "hex").readDoubleBE();
const numbers = (tensor: k.TensorHandle) => [...k.data(tensor).data].map(Number);

it("typed arrays of integers become long, with all of their bits", () => {
  for (const array of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array]) {
    // Each type converts these: the least, the largest and others.
    const given = array.from([-(2 ** 31), -(2 ** 15), -128, -1, 0, 7, 127, 128, 2 ** 16 - 1, 2 ** 31]);
    const tensor = k.tensor(given);
    expect(k.dtype(tensor), array.name).toBe("long");
    expect(numbers(tensor), array.name).toEqual([...given]);
  }
});

describe.runIf("Float16Array" in globalThis)("a Float16Array", () => {
  type Kind = new (length: number) => k.HalfArray & { readonly buffer: ArrayBuffer };
  const arrayOf = (length: number) => new (globalThis as unknown as { Float16Array: Kind }).Float16Array(length);
  let every: k.HalfArray;
  beforeAll(() => {
    const array = arrayOf(2 ** 16);
    new Uint16Array(array.buffer).forEach((_, i, bits) => {
      bits[i] = i;
    });
    every = array;
  });

  it.runIf(differences.dtypes.includes("half"))("becomes half, number by number", () => {
    const x = k.tensor(every, { shape: [256, 256] });
    expect([k.dtype(x), k.size(x)]).toEqual(["half", [256, 256]]);
    expect(k.data(x)).toEqual({ data: Float32Array.from(every), shape: [256, 256], dtype: "half" });
  });

  it("becomes a tensor of another type exactly", () => {
    expect(k.data(k.tensor(every, "float")).data).toEqual(Float32Array.from(every));
    const parameter = k.tensor([0, 0, 0]);
    const three = arrayOf(3);
    k.copyto(three, parameter);
    expect(k.tensor(parameter)).toEqual([0, 0, 0]);
    expect(k.tensor(k.forward(k.module(["linear", 3, 1]), three))).toHaveLength(1);
    if (!differences.dtypes.includes("half")) expectError("ERR_DTYPE", () => k.tensor(three));
  });
});

it("a bigint of a list becomes a number exactly, or is refused", () => {
  const limit = 2n ** 53n;
  for (const exact of [-limit, 1n - limit, 0n, 7n, limit - 1n, limit]) {
    expect(k.data(k.tensor([exact] as never, "long")).data, String(exact)).toEqual(BigInt64Array.of(exact));
  }
  const before = k.handlecount();
  for (const large of [limit + 1n, -limit - 1n, limit + 2n, 2n ** 63n, 2n ** 2000n]) {
    for (const call of [() => k.tensor([large] as never, "long"), () => k.full([1], large as never, "long")]) {
      expect(expectError("ERR_ARGUMENT", call)).toMatch(
        /expected whole numbers within ±2\^53 .*, given a larger bigint$/,
      );
    }
  }
  expect(k.handlecount()).toBe(before);
});

it("numbers that are not finite or do not fit become no long", () => {
  for (const dtype of ["float", "double"] as const) {
    for (const wrong of [Number.NaN, Infinity, -Infinity, 1e30, -1e30, 2 ** 63, -(2 ** 63) * (1 + 2 ** -20)]) {
      const x = k.tensor([0, wrong], dtype);
      const handles = k.handlecount();
      expect(expectError("ERR_DTYPE", () => k.to(x, "long"))).toContain("2^63");
      expect(k.handlecount()).toBe(handles);
    }
    const x = k.tensor([-(2 ** 63), 2 ** 62, 1.9, -1.9, -0], dtype);
    expect([...k.data(k.to(x, "long")).data]).toEqual([-(2n ** 63n), 2n ** 62n, 1n, -1n, 0n]);
  }
  const largest = k.tensor(BigInt64Array.of(2n ** 63n - 1n));
  expect([...k.data(k.to(largest, "long")).data]).toEqual([2n ** 63n - 1n]);
});

describe.each(dtypes)("$dtype", ({ dtype, other, bytes, array }) => {
  it.each([dtype, other])("is made by the word %s, by the option and by `to`", (word) => {
    const shape = [2, 1] as const;
    for (const x of [
      k.tensor([[1], [2]], word),
      k.tensor([1, 2], { dtype: word, shape }),
      k.full(shape, 1, word),
      k.to(k.tensor([[1], [2]]), word),
    ]) {
      expect([k.dtype(x), k.objtype(x), k.size(x), k.bytes(x)]).toEqual([dtype, dtype, shape, 2 * bytes]);
      const { data, ...rest } = k.data(x);
      expect(data).toBeInstanceOf(array);
      expect(rest).toEqual(isReduced(dtype) || dtype === "bool" ? { shape, dtype } : { shape });
    }
  });

  it.each(names)("converts to %s and back", (target) => {
    const x = k.tensor([-2, 0, 1, 100], dtype);
    const there = k.to(x, target);
    const expected = [dtype, target].includes("bool") ? [1, 0, 1, 1] : [-2, 0, 1, 100];
    expect([k.dtype(there), numbers(there)]).toEqual([target, expected]);
    expect(numbers(k.to(there, dtype))).toEqual(expected);
    k.copyto(there, x);
    expect([k.dtype(x), k.tensor(x)]).toEqual([dtype, expected]);
  });

  it("takes back what `data` gives", () => {
    const x = k.tensor([[0.1, 3]], ["long", "bool"].includes(dtype) ? "float" : dtype);
    const y = k.full([1, 2], 0, k.dtype(x), "grad");
    k.copyto(k.data(x) as never, y);
    expect(k.data(y)).toEqual(k.data(x));
    k.grad(y, k.data(x) as never);
    expect(k.grad(y)).toEqual(k.tensor(x));
  });
});

it("an unknown dtype is refused with those that there are", () => {
  const known = every.map(({ dtype }) => dtype);
  const message = expectError("ERR_DTYPE", () => k.tensor([1], { dtype: "int8" as never }));
  expect(message).toBe(`tensor: unknown dtype \`int8\`, expected one of ${known.join(", ")}`);
  for (const word of ["int8", "Half", "bfloat", "brain", ""]) {
    expect(expectError("ERR_OPTION_UNKNOWN", () => k.to(k.tensor([1]), word as never))).toContain(known.join(", "));
  }
});

describe.each(reduced)("numbers of %s", (dtype) => {
  const rows = recordings.rounding[dtype].map((row) => row.map(numberOf) as [number, number, number]);
  const given = rows.map(([x]) => x);
  const rounded = rows.map(([, x]) => x);

  it("are rounded once, to the nearest and in a tie to the even one", () => {
    expect(rows.length).toBeGreaterThan(500);
    const whole = (x: k.TensorHandle) => expect(numbers(x)).toEqual(rounded);
    whole(k.tensor(given, dtype));
    whole(k.tensor(Float64Array.from(given), { dtype }));
    const x = k.full([given.length], 0, dtype, "grad");
    k.copyto(Float64Array.from(given), x);
    whole(x);
    k.grad(x, given);
    expect(k.grad(x)).toEqual(rounded);
    expect(given.map((value) => k.tensor(k.full([], value, dtype)))).toEqual(rounded);
  });

  it("are rounded from a Float32Array as from other numbers", () => {
    const floats = rows.filter(([x]) => Object.is(Math.fround(x), x));
    expect(floats.length).toBeGreaterThan(200);
    const x = k.tensor(
      Float32Array.from(floats, ([value]) => value),
      dtype,
    );
    expect(numbers(x)).toEqual(floats.map(([, value]) => value));
  });

  it("are converted by `to` as PyTorch converts them", () => {
    const converted = (from: "float" | "double") => numbers(k.to(k.tensor(given, from), dtype));
    const theirs = rows.map(([, , x]) => x);
    expect(converted("double")).toEqual(theirs);
    expect(converted("float")).toEqual(theirs);
  });

  it("are computed with and have gradients", () => {
    const x = k.tensor([0.1, 0.2, 0.3], dtype, "grad");
    const loss = k.mse(x, [0, 0, 0], { reduce: "sum" });
    expect(k.dtype(loss)).toBe(dtype);
    k.backward(loss);
    // Twice a number is exact, whatever it was rounded to.
    expect(k.grad(x)).toEqual(numbers(x).map((value) => 2 * value));
    const message = expectError("ERR_DTYPE", () => k.grad(x, k.tensor([1, 2, 3])));
    expect(message).toBe(`grad: expected a gradient of dtype ${dtype}, given float`);
    expect(expectError("ERR_DTYPE", () => k.mse(x, k.tensor([1, 2, 3])))).toBe(
      `mse: expected target of dtype ${dtype}, given float`,
    );
  });

  it("are clipped in place", () => {
    const x = k.tensor([0, 0], dtype, "grad");
    k.grad(x, [3, 4]);
    expect(k.clip(x, 10)).toBe(5);
    expect(k.grad(x)).toEqual([3, 4]);
    expect(k.clip(x, 2.5)).toBe(5);
    // The factor is 2.5 / (5 + 1e-6), so 1.5 and 2 after rounding.
    expect(k.grad(x)).toEqual([1.5, 2]);
    k.clipv(x, 1.75);
    expect(k.grad(x)).toEqual([1.5, 1.75]);
    k.zerograd(x);
    expect(k.grad(x)).toEqual([0, 0]);
    k.nograd(x);
    expect(k.grad(x)).toBeUndefined();
  });
});

describe.each(reduced)("a module of %s", (dtype) => {
  const make = () => {
    const m = k.module(
      k.seq(
        "sequential",
        ["linear", "a", 2, 4],
        ["batchnorm", "norm", 4],
        "relu",
        ["dropout", 0.5],
        ["linear", "b", 4, 2],
      ),
    );
    k.to(m, dtype);
    return m;
  };
  const inputs = [
    [1, 2],
    [3, 5],
  ];
  const tensors = [...["a.weight", "a.bias", "norm.weight", "norm.bias"], "norm.running_mean", "norm.running_var"];
  const contents = (m: k.ModuleHandle) => [...tensors, "b.weight", "b.bias"].map((name) => k.data(k.parm(m, name)));

  it("is trained on numbers rounded for it, and used", () => {
    const m = make();
    const y = k.forward(m, inputs);
    expect(k.dtype(y)).toBe(dtype);
    k.backward(k.ce(y, [0, 1]));
    for (const name of k.parmnames(m)) {
      const parameter = k.parm(m, name);
      expect([k.dtype(parameter), k.size(parameter)]).toEqual([dtype, k.data(parameter).shape]);
      expect(k.grad(parameter), name).toBeDefined();
    }
    expect(k.dtype(k.parm(m, "norm.running_mean"))).toBe(dtype);
    expect(k.data(k.evaluate(m, inputs))).toMatchObject({ shape: [2, 2], dtype });
  });

  it("has half the bytes", () => {
    const m = make();
    // The count of batches does not change.
    const count = 8;
    const bytes = k.bytes(m) - count;
    k.to(m, "float");
    expect(bytes).toBe((k.bytes(m) - count) / 2);
  });

  it("is restored to the bit", () => {
    const m = make();
    k.forward(m, inputs);
    const state = k.state(m);
    const other = k.module(structuredClone(state));
    expect(contents(other)).toEqual(contents(m));
    expect(k.state(other)).toEqual(state);
    const broken = structuredClone(state) as unknown as { parms: Record<string, { dtype?: string }> }[];
    const row = broken.find(({ parms }) => parms.weight !== undefined);
    if (row?.parms.weight !== undefined) row.parms.weight.dtype = "int8";
    expectError("ERR_FORMAT", () => k.module(broken as unknown as k.ModuleState));
  });

  it("is tested by a model", () => {
    const m = k.module(["linear", 2, 2, false]);
    k.to(m, dtype);
    k.copyto(
      [
        [1, 0],
        [0, 1],
      ],
      k.parm(m, "weight"),
    );
    const model = k.model(m, k.loss("ce"), k.opt("sgd", m));
    k.test(model, { metrics: ["accuracy", "matches"] });
    k.test(
      model,
      [
        [2, 1],
        [1, 2],
        [3, 0],
      ],
      [0, 1, 1],
    );
    expect(k.testrun(model)).toEqual({ accuracy: 200 / 3, matches: 2 });
  });

  it("is trained", () => {
    const m = make();
    const o = k.opt("adam", m, { lr: 0.02 });
    k.lossscale(o, { init: 2 ** 10 });
    const losses = Array.from({ length: 40 }, () => {
      const loss = k.ce(k.evaluate(m, inputs), [0, 1]);
      k.backward(k.ce(k.forward(m, inputs), [0, 1]), o);
      k.step(o, { zerograd: true, clipnorm: 1 });
      return k.tensor(loss) as number;
    });
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2);
    for (const [i, { buffers }] of k.state(o).parms.entries()) {
      const { data, shape } = buffers.master_param as k.TypedTensor;
      const rounded = k.to(k.tensor(data as Float32Array, { shape }), dtype);
      expect(k.data(rounded)).toEqual(k.data(k.parm(m, k.parmnames(m)[i] as string)));
    }
  });

  it("is not updated by the library's own optimizer, which keeps no master weights", () => {
    const m = make();
    const o = k.opt("adam", m, { fused: false });
    k.backward(k.ce(k.forward(m, inputs), [0, 1]));
    const before = contents(m);
    const message = expectError("ERR_DTYPE", () => k.step(o));
    expect(message).toContain(
      "step: parameter a.weight cannot be updated: libtorch's own optimizers keep no master weights",
    );
    expect(contents(m)).toEqual(before);
    expect(k.state(o).parms.map((row) => row.buffers)).toEqual(k.parmnames(m).map(() => ({})));
  });

  it.each([true, false])("has too few digits for lbfgs, fused %s", (fused) => {
    const m = make();
    const before = contents(m);
    const o = k.opt("lbfgs", m, { fused });
    const message = expectError("ERR_DTYPE", () => k.step(o, () => 0));
    expect(message).toBe(`step: lbfgs needs more digits than ${dtype} has: use float or double`);
    expect(contents(m)).toEqual(before);
  });
});

describe.each(reduced)("a file of %s", (dtype) => {
  const folder = mkdtempSync(join(tmpdir(), "stepwell-dtypes-"));
  const path = join(folder, "linear.safetensors");
  afterAll(() => rmSync(folder, { recursive: true }));

  it("that the safetensors library wrote is read to the bit", () => {
    const m = k.module(["linear", 2, 2]);
    writeFileSync(path, Buffer.from(recordings.files[dtype], "base64"));
    const given = expectError("ERR_DTYPE", () => k.load(m, path));
    expect(given).toMatch(new RegExp(`expected float \\[2, 2\\], given ${dtype} \\[2, 2\\]`));
    k.to(m, dtype);
    k.load(m, path);
    for (const [name, elements] of Object.entries(recordings.elements[dtype])) {
      expect(numbers(k.parm(m, name))).toEqual(elements.map(numberOf));
    }
    k.save(m, path);
    const again = k.module(["linear", 2, 2]);
    k.to(again, dtype);
    k.load(again, path);
    expect(k.state(again)).toEqual(k.state(m));
  });
});

describe.each(reduced)("numbers of %s", (dtype) => {
  it.each(["linear", "embedding"] as const)("do not convert a float %s that is given them", (kind) => {
    const m = k.module([kind, 3, 2]);
    const input = kind === "linear" ? k.full([1, 3], 0.5, dtype) : k.full([1], 1, dtype);
    const wanted = kind === "linear" ? "float input" : "long indices";
    expect(expectError("ERR_DTYPE", () => k.forward(m, input))).toBe(
      `forward: ${kind}: expected ${wanted}, given ${dtype}`,
    );
    expect(k.dtype(k.parm(m, "weight"))).toBe("float");
  });
});
