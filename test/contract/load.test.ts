// Files of other libraries or of other modules: converted types, missing names, headers that are large or false.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { differences, supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-load-"));
const path = join(folder, "model.safetensors");

afterEach(() => k.free());
afterAll(() => rmSync(folder, { recursive: true }));

interface Piece {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const floats = (shape: readonly number[], ...numbers: number[]): Piece => ({
  dtype: "F32",
  shape,
  bytes: bytesOf(new Float32Array(numbers)),
});
const doubles = (shape: readonly number[], ...numbers: number[]): Piece => ({
  dtype: "F64",
  shape,
  bytes: bytesOf(new Float64Array(numbers)),
});

/** Writes a file by hand. */
function write(pieces: Readonly<Record<string, Piece>>, header: (text: string) => string = (text) => text) {
  let end = 0;
  const entries = Object.entries(pieces).map(([name, { dtype, shape, bytes }]) => {
    const start = end;
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [start, end] }] as const;
  });
  const text = Buffer.from(header(JSON.stringify(Object.fromEntries(entries))));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, text, ...Object.values(pieces).map((piece) => piece.bytes)]));
}

const numbers = (m: k.ModuleHandle, name: string) => k.tensor(k.parm(m, name));

describe("load", () => {
  it("takes a file that PyTorch wrote of a network with batch normalisation, and its count of batches", () => {
    // safetensors.torch.save_file(Sequential(Linear(3, 4), BatchNorm1d(4), ReLU(), Linear(4, 2)).state_dict(), path)
    const file = fileURLToPath(new URL("../parity/batchnorm.safetensors", import.meta.url));
    const bytes = readFileSync(file);
    const length = Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
    const m = k.module(k.seq("sequential", ["linear", 3, 4], ["batchnorm", 4], "relu", ["linear", 4, 2]));
    k.load(m, file);
    for (const [name, { dtype, shape, data_offsets }] of Object.entries<Record<string, number[]>>(header)) {
      const [start, end] = (data_offsets as number[]).map((place) => 8 + length + place);
      const { data, shape: found } = k.data(k.parm(m, name));
      expect([name, found, Buffer.from(data.buffer).toString("hex")]).toEqual([
        name,
        shape,
        bytes.subarray(start, end).toString("hex"),
      ]);
      expect(k.dtype(k.parm(m, name))).toBe(String(dtype) === "I64" ? "long" : "float");
    }
    k.copyto(7, k.parm(m, "1.num_batches_tracked"));
    k.save(m, path);
    const other = k.module(k.seq("sequential", ["linear", 3, 4], ["batchnorm", 4], "relu", ["linear", 4, 2]));
    k.load(other, path);
    expect(numbers(other, "1.num_batches_tracked")).toBe(7);
  });

  it("keeps the count of batches where a file has none", () => {
    const m = k.module(["batchnorm", 1]);
    k.forward(m, [[1], [2]]);
    const old = {
      weight: floats([1], 2),
      bias: floats([1], 3),
      running_mean: floats([1], 4),
      running_var: floats([1], 5),
    };
    write(old);
    k.load(m, path);
    expect(numbers(m, "num_batches_tracked")).toBe(1);
    expect(numbers(m, "running_var")).toEqual([5]);
    expect(k.load(m, path, { strict: false })).toEqual({ missing: [], unexpected: [], mismatched: [] });
  });

  describe("with other names", () => {
    // Names as Hugging Face writes them.
    const file = () =>
      write({
        "transformer.h.0.weight": floats([1, 2], 1, 2),
        "transformer.h.0.bias": floats([1], 3),
        "lm_head.weight": floats([5, 1], 1, 2, 3, 4, 5),
      });
    const network = () => k.module(k.seq("sequential", ["linear", "block", 2, 1], ["linear", "head", 1, 2]));
    const rename = (name: string) => name.replace("transformer.h.0.", "block.");

    it("renames by a function or a dictionary, and loads a part", () => {
      file();
      const dictionary = { "transformer.h.0.weight": "block.weight", "transformer.h.0.bias": "block.bias" };
      for (const given of [rename, dictionary]) {
        const m = network();
        const head = String(numbers(m, "head.weight"));
        k.load(m, path, { rename: given, only: "block" });
        expect([numbers(m, "block.weight"), numbers(m, "block.bias")]).toEqual([[[1, 2]], [3]]);
        expect(String(numbers(m, "head.weight"))).toBe(head);
      }
      const m = network();
      k.load(m, path, { rename, only: ["block.bias"] });
      expect(numbers(m, "block.bias")).toEqual([3]);
    });

    it("reports what it does not match", () => {
      file();
      expect(k.load(network(), path, { rename, strict: false })).toEqual({
        missing: ["head.weight", "head.bias"],
        unexpected: ["lm_head.weight"],
        mismatched: [],
      });
      const all = (name: string) => (name === "lm_head.weight" ? "head.weight" : rename(name));
      const report = k.load(network(), path, { rename: all, strict: false });
      expect([report.missing, report.unexpected]).toEqual([["head.bias"], []]);
      expect(report.mismatched.map(({ name }) => name)).toEqual(["head.weight"]);
      const without = (name: string) => (name.startsWith("lm_head") ? undefined : rename(name));
      expect(k.load(network(), path, { rename: without, strict: false }).unexpected).toEqual([]);
    });

    it("refuses names that nothing has, and two of one", () => {
      file();
      const m = network();
      const before = JSON.stringify(k.state(m));
      expectError("ERR_FORMAT", () => k.load(m, path, { rename }));
      expectError("ERR_ARGUMENT", () => k.load(m, path, { rename: { absent: "block.weight" } }));
      expectError("ERR_ARGUMENT", () => k.load(m, path, { rename: () => "block.weight" }));
      expectError("ERR_ARGUMENT", () => k.load(m, path, { rename, only: "bloc" }));
      expectError("ERR_OPTION_TYPE", () => k.load(m, path, { rename: (() => 3) as never }));
      expectError("ERR_OPTION_TYPE", () => k.load(m, path, { rename: 3 } as never));
      expectError("ERR_OPTION_TYPE", () => k.load(m, path, { only: [3] } as never));
      expectError("ERR_OPTION_TYPE", () => k.load(m, path, { only: [] }));
      expect(JSON.stringify(k.state(m))).toBe(before);
    });
  });

  describe("with cast", () => {
    // A third, a tie that goes to the even one, and numbers that are too large, as IEEE 754 rounds them.
    const given = [1 / 3, 1 + 2 ** -24, 65520, 1e300];
    const rounded: Readonly<Record<string, readonly number[]>> = {
      double: given,
      float: [0.3333333432674408, 1, 65520, Number.POSITIVE_INFINITY],
      half: [0.333251953125, 1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
      bfloat16: [0.333984375, 1, 65536, Number.POSITIVE_INFINITY],
    };

    it.each(supported(...(Object.keys(rounded) as k.Dtype[])))("rounds to %s once", (dtype) => {
      write({ weight: doubles([1, 4], ...given), bias: doubles([1], 0.1) });
      const m = k.module(["linear", 4, 1]);
      k.to(m, dtype);
      if (dtype !== "double") expectError("ERR_DTYPE", () => k.load(m, path));
      k.load(m, path, { cast: true });
      expect(numbers(m, "weight")).toEqual([rounded[dtype]]);
      expect(k.dtype(k.parm(m, "weight"))).toBe(dtype);
    });

    it("widens what has 16 bits", () => {
      const half = { dtype: "F16", shape: [1, 2], bytes: bytesOf(new Uint16Array([0x3555, 0x8001])) };
      const brain = { dtype: "BF16", shape: [1], bytes: bytesOf(new Uint16Array([0x3eab])) };
      write({ weight: half, bias: brain });
      for (const dtype of ["float", "double"] as const) {
        const m = k.module(["linear", 2, 1]);
        k.to(m, dtype);
        k.load(m, path, { cast: true });
        expect(numbers(m, "weight")).toEqual([[0.333251953125, -(2 ** -24)]]);
        expect(numbers(m, "bias")).toEqual([0.333984375]);
      }
    });

    it("makes no shape fit, and no whole numbers out of others", () => {
      const m = k.module(["linear", 2, 1]);
      write({ weight: doubles([2, 1], 1, 2), bias: doubles([1], 1) });
      expectError("ERR_SHAPE", () => k.load(m, path, { cast: true }));
      write({ weight: { dtype: "I64", shape: [1, 2], bytes: new Uint8Array(16) }, bias: doubles([1], 1) });
      expect(expectError("ERR_DTYPE", () => k.load(m, path, { cast: true }))).toContain("given long [1, 2]");
      write({ weight: { dtype: "U8", shape: [1, 2], bytes: new Uint8Array(2) }, bias: doubles([1], 1) });
      expect(expectError("ERR_DTYPE", () => k.load(m, path, { cast: true }))).toContain("given U8 [1, 2]");
      const b = k.module(["batchnorm", 1]);
      const one = floats([1], 1);
      write({ weight: one, bias: one, running_mean: one, running_var: one, num_batches_tracked: floats([], 3) });
      expectError("ERR_DTYPE", () => k.load(b, path, { cast: true }));
      expect(numbers(b, "num_batches_tracked")).toBe(0);
    });
  });

  it("without it says how another type is loaded", () => {
    const m = k.module(["linear", 1, 1]);
    write({ weight: doubles([1, 1], 1), bias: doubles([1], 1) });
    expect(expectError("ERR_DTYPE", () => k.load(m, path))).toBe(
      `load: \`weight\`: expected float [1, 1], given double [1, 1] in ${path}; { cast: true } converts types of floating point`,
    );
  });

  it("that is not strict sets what fits, and tells the rest in order", () => {
    const m = k.module(
      k.seq("sequential", ["linear", "a", 1, 2], ["linear", "b", 2, 1], ["linear", "c", 1, 1], ["batchnorm", "n", 1]),
    );
    const before = k.data(k.parm(m, "a.bias"));
    write({
      "z.weight": floats([1], 1),
      "a.weight": floats([2, 1], 5, 6),
      "b.weight": floats([2, 2], 1, 2, 3, 4),
      "b.bias": doubles([1], 9),
      "c.bias": { dtype: "U8", shape: [1], bytes: new Uint8Array(1) },
      "y.\u{1f600}\n": { dtype: "F8_E4M3", shape: [0], bytes: new Uint8Array() },
      "n.num_batches_tracked": { dtype: "I64", shape: [], bytes: bytesOf(new BigInt64Array([2n ** 40n])) },
    });
    expect(k.load(m, path, { strict: false })).toEqual({
      missing: ["a.bias", "c.weight", "n.weight", "n.bias", "n.running_mean", "n.running_var"],
      unexpected: ["z.weight", "y.\u{1f600}\n"],
      mismatched: [
        { name: "b.weight", expected: { dtype: "float", shape: [1, 2] }, given: { dtype: "float", shape: [2, 2] } },
        { name: "b.bias", expected: { dtype: "float", shape: [1] }, given: { dtype: "double", shape: [1] } },
        { name: "c.bias", expected: { dtype: "float", shape: [1] }, given: { dtype: "U8", shape: [1] } },
      ],
    });
    expect(numbers(m, "a.weight")).toEqual([[5], [6]]);
    expect(k.data(k.parm(m, "a.bias"))).toEqual(before);
    expect(numbers(m, "n.num_batches_tracked")).toBe(2 ** 40);
    const { mismatched } = k.load(m, path, { strict: false, cast: true });
    expect(mismatched.map(({ name }) => name)).toEqual(["b.weight", "c.bias"]);
    expect(numbers(m, "b.bias")).toEqual([9]);
    // A path without a file is still an error.
    write({ "a.weight": floats([2, 1], 5) });
    expectError("ERR_FORMAT", () => k.load(m, path, { strict: false }));
  });

  it("of a fluent module does the same", () => {
    const m = k.Module.of(["linear", 1, 1]);
    write({ weight: doubles([1, 1], 4), bias: doubles([1], 3) });
    expect(m.load(path, { cast: true })).toBe(m);
    expect(numbers(m.handle, "weight")).toEqual([[4]]);
    expect(m.load(path, { strict: false }).mismatched.map(({ name }) => name)).toEqual(["weight", "bias"]);
  });

  it("refuses unsuitable options, and changes nothing", () => {
    const m = k.module(["linear", 1, 1]);
    write({ weight: floats([1, 1], 4), bias: floats([1], 3) });
    const before = k.state(m);
    const wrong: readonly (readonly [k.ErrorCode, unknown])[] = [
      ["ERR_OPTION_UNKNOWN", { casts: true }],
      ["ERR_OPTION_TYPE", { cast: 1 }],
      ["ERR_OPTION_TYPE", { strict: "no" }],
      ["ERR_ARGUMENT", true],
      ["ERR_ARGUMENT", "strict"],
    ];
    for (const [code, options] of wrong) expectError(code, () => k.load(m, path, options as k.LoadOptions));
    expectError("ERR_ARGUMENT", () => (k.load as (...args: unknown[]) => void)(m, path, {}, {}));
    expect(k.state(m)).toEqual(before);
    expect(k.load(m, path, {})).toBeUndefined();
  });

  describe("refuses a header that", () => {
    const one = { weight: floats([1, 1], 1), bias: floats([1], 1) };
    const m = () => k.module(["linear", 1, 1]);

    it.each([
      ["names a tensor twice", (text: string) => text.replace('"bias"', '"weight"')],
      ["names one twice, in other words", (text: string) => text.replace('"bias"', '"w\\u0065ight"')],
      ["lets tensors share their data", (text: string) => text.replace("[4,8]", "[0,4]")],
      ["leaves a hole", (text: string) => text.replace("[4,8]", "[8,12]")],
      ["ends before its data", (text: string) => text.replace(/,"bias".*}}$/, "}")],
      ["has a key too many", (text: string) => text.replace('"dtype"', '"more":"F32","dtype"')],
      ["has sizes that are no whole numbers", (text: string) => text.replace("[1]", "[1.0]")],
      ["has a shape beyond all memory", (text: string) => text.replace("[1]", "[9007199254740992,9007199254740992]")],
      ["has 65 dimensions", (text: string) => text.replace("[1]", `[${Array(65).fill(1)}]`)],
      ["is a list", (text: string) => `[${text}]`],
      ["begins with a space", (text: string) => ` ${text}`],
      ["has something behind it", (text: string) => `${text}{}`],
      ["has metadata that are no words", (text: string) => text.replace("{", '{"__metadata__":{"a":1},')],
    ])("%s", (_, change) => {
      write(one, change);
      const handle = m();
      const before = k.state(handle);
      expectError("ERR_FORMAT", () => k.load(handle, path));
      expectError("ERR_FORMAT", () => k.load(handle, path, { strict: false }));
      expect(k.state(handle)).toEqual(before);
    });

    it("and takes metadata and space between its words", () => {
      write(one, (text) => `${text.replace("{", '{ "__metadata__" : {"format":"pt"}\n,').replaceAll(":", " :\t")}   `);
      k.load(m(), path);
    });

    it("tells of more bytes than there are, whatever the number", () => {
      const file = Buffer.alloc(16, "{}");
      for (const length of [
        9n,
        99_999_999n,
        100_000_001n,
        2n ** 31n,
        2n ** 32n,
        2n ** 53n,
        2n ** 63n,
        2n ** 64n - 1n,
      ]) {
        file.writeBigUInt64LE(length);
        writeFileSync(path, file);
        expectError("ERR_FORMAT", () => k.load(m(), path));
      }
    });

    it("is none, as in a file of another format", () => {
      writeFileSync(path, "PK\x03\x04\0\0\0\0 another format");
      expect(expectError("ERR_FORMAT", () => k.load(m(), path))).toMatch(
        / is not a valid safetensors file: its first 8 bytes announce a header of 67324752 bytes, but only 15 follow$/,
      );
    });

    it("has a name of any length, which the message shows the beginning of", () => {
      write({ ["n".repeat(100_000)]: floats([1], 1) });
      expect(expectError("ERR_FORMAT", () => k.load(m(), path)).length).toBeLessThan(500 + path.length);
    });
  });

  it.runIf(differences.streamsFiles)("reads a large header in little more memory than its own size", () => {
    const count = 400_000;
    const text = Array.from(
      { length: count },
      (_, i) => `"t${i}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`,
    );
    const header = Buffer.from(`{${text.join(",")}}`);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path, Buffer.concat([length, header, Buffer.alloc(count)]));
    const code = `
      import { load, module, save } from "@stepwell/sdk";
      const m = module(["linear", 1, 1]);
      save(m, process.argv[1] + ".small");
      load(m, process.argv[1] + ".small");
      const before = process.resourceUsage().maxRSS;
      try { load(m, process.argv[1]); } catch (error) { console.log(error.code); }
      console.log(process.resourceUsage().maxRSS - before);`;
    const cwd = fileURLToPath(new URL(".", import.meta.url));
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", code, path], { cwd, encoding: "utf8" });
    const [refusal, kibibytes] = child.stdout.split("\n");
    expect(refusal).toBe("ERR_FORMAT");
    expect(Number(kibibytes) * 1024).toBeLessThan(header.length + count + 2 ** 26);
  });
});

describe("a tensor of two names", () => {
  const net = () => {
    const part = k.module(["linear", 1, 1, false]);
    return k.module(k.seq("sequential", part, part));
  };

  it("is loaded from either name, or from both with equal elements", () => {
    const m = net();
    const [first, second] = ["0.weight", "1.weight"];
    for (const names of [[first], [second], [first, second]] as string[][]) {
      write(Object.fromEntries(names.map((name) => [name, floats([1, 1], Number.NaN)])));
      k.load(m, path);
      expect(k.tensor(k.parm(m, "0.weight"))).toEqual([[Number.NaN]]);
    }
  });

  it("is refused with other elements under the second name, and nothing changes", () => {
    const m = net();
    const before = k.state(m);
    write({ "0.weight": floats([1, 1], 1), "1.weight": floats([1, 1], 2) });
    for (const options of [{}, { strict: false }, { cast: true }] as k.LoadOptions[]) {
      const message = expectError("ERR_FORMAT", () => k.load(m, path, options));
      expect(message).toContain("`0.weight` and `1.weight` are one tensor");
    }
    expect(k.state(m)).toEqual(before);
  });
});
