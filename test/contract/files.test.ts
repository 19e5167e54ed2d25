import { Buffer } from "node:buffer";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-files-"));
const path = join(folder, "model.safetensors");

beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});
afterEach(() => k.free());
afterAll(() => rmSync(folder, { recursive: true }));

const network = () =>
  k.module(k.seq("sequential", ["linear", "a", 3, 4], ["batchnorm", "norm", 4], ["linear", "b", 4, 2, false]));
const tensorNames = [
  "a.weight",
  "a.bias",
  "norm.weight",
  "norm.bias",
  "norm.running_mean",
  "norm.running_var",
  "norm.num_batches_tracked",
  "b.weight",
];
const contents = (m: k.ModuleHandle) => tensorNames.map((name) => k.data(k.parm(m, name)));

/** A load that must fail and change nothing. */
function refused(m: k.ModuleHandle, code: k.ErrorCode, file = path): string {
  const before = contents(m);
  const message = expectError(code, () => k.load(m, file));
  expect(contents(m)).toEqual(before);
  return message;
}

/** A file in the safetensors format, written by hand. */
function safetensors(header: unknown, data: Uint8Array = new Uint8Array()): Buffer {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** The names in the format, and the numbers that bytes stand for. */
const formats: Readonly<
  Record<"float" | "double" | "half" | "bfloat16" | "long", readonly [string, (bytes: Buffer) => number[]]>
> = {
  float: ["F32", (bytes) => read(bytes, 4, (at) => bytes.readFloatLE(at))],
  double: ["F64", (bytes) => read(bytes, 8, (at) => bytes.readDoubleLE(at))],
  half: ["F16", (bytes) => read(bytes, 2, (at) => half(bytes.readUInt16LE(at)))],
  bfloat16: [
    "BF16",
    (bytes) => read(bytes, 2, (at) => Buffer.from([0, 0, ...bytes.subarray(at, at + 2)]).readFloatLE()),
  ],
  long: ["I64", (bytes) => read(bytes, 8, (at) => Number(bytes.readBigInt64LE(at)))],
};

function read(bytes: Buffer, size: number, element: (at: number) => number): number[] {
  return Array.from({ length: bytes.length / size }, (_, i) => element(i * size));
}

/** The finite number of 16 bits: sign, 5 bits of exponent, 10 of fraction. */
function half(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, (bits & 1023) / 1024];
  const size = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}

describe("files", () => {
  describe.each(supported("float", "double", "half", "bfloat16"))("save and load in %s", (dtype) => {
    it("give the same bits", () => {
      const m = network();
      k.to(m, dtype);
      k.forward(m, [
        [1, 2, 3],
        [5, 4, 4],
      ]);
      // Bits that a decimal number would not keep.
      const odd = [-0, 5e-324, Number.POSITIVE_INFINITY, Number.NaN];
      k.copyto(odd, k.parm(m, "a.bias"));
      const saved = contents(m);
      k.save(m, path);
      const other = network();
      k.to(other, dtype);
      const bias = k.parm(other, "a.bias");
      k.load(other, path);
      expect(contents(other)).toEqual(saved);
      const bytes = (tensor: k.TensorHandle) => Buffer.from(k.data(tensor).data.buffer).toString("hex");
      expect(bytes(bias)).toBe(bytes(k.parm(m, "a.bias")));
      expect(readdirSync(folder)).toEqual(["model.safetensors"]);
    });

    it("write what other readers of the format read", () => {
      const m = network();
      k.to(m, dtype);
      k.save(m, path);
      const file = readFileSync(path);
      const length = Number(file.readBigUInt64LE(0));
      const header = JSON.parse(file.subarray(8, 8 + length).toString("utf8"));
      const data = file.subarray(8 + length);
      // The data is aligned, and its parts are contiguous up to the end of the file.
      expect(length % 8).toBe(0);
      expect(Object.keys(header).sort()).toEqual(["__metadata__", ...tensorNames].sort());
      const pieces: number[][] = [];
      for (const name of tensorNames) {
        const { data: elements, shape } = k.data(k.parm(m, name));
        const { dtype: word, shape: sizes, data_offsets } = header[name];
        const [expectedWord, numbers] = formats[name === "norm.num_batches_tracked" ? "long" : dtype];
        expect([word, sizes]).toEqual([expectedWord, shape]);
        pieces.push(data_offsets);
        expect(numbers(data.subarray(...(data_offsets as [number, number])))).toEqual(Array.from(elements, Number));
      }
      pieces.sort(([a = 0], [b = 0]) => a - b);
      expect(pieces.map(([start]) => start)).toEqual([0, ...pieces.slice(0, -1).map(([, end]) => end)]);
      expect(pieces.at(-1)?.[1]).toBe(data.length);
    });
  });

  it("a module without parameters is a file without tensors", () => {
    const m = k.module("relu");
    k.save(m, path);
    const header = JSON.parse(readFileSync(path).subarray(8).toString());
    expect(Object.keys(header)).toEqual(["__metadata__"]);
    expect(k.inspect(path).tensors).toEqual([]);
    k.load(m, path);
  });

  it("a module keeps its optimizer when it is loaded", () => {
    const m = network();
    const o = k.opt("sgd", m, 0.5);
    k.save(m, path);
    k.load(m, path);
    const weight = k.parm(m, "b.weight");
    k.copyto(k.full([2, 4], 1), weight);
    k.grad(weight, k.full([2, 4], 1));
    k.step(o);
    expect(k.tensor(weight)).toEqual(k.tensor(k.full([2, 4], 0.5)));
  });

  describe("load refuses", () => {
    it("a file that is not there", () => {
      expect(refused(network(), "ERR_FILE")).toContain(`load: cannot read ${path}: `);
      refused(network(), "ERR_FILE", join(folder, "no", "such", "folder"));
      refused(network(), "ERR_FILE", "");
      refused(network(), "ERR_FILE", "with\0zero");
    });

    it("what is no regular file", () => {
      expect(refused(network(), "ERR_FILE", folder)).toContain("it is not a regular file");
    });

    it("a file that was cut off", () => {
      const m = network();
      k.save(m, path);
      const { length } = readFileSync(path);
      for (let size = length - 1; size >= 0; size -= 13) {
        truncateSync(path, size);
        expect(refused(m, "ERR_FORMAT")).toContain(`load: ${path} is not a valid safetensors file: `);
      }
    });

    it("a file with something behind its end", () => {
      const m = network();
      k.save(m, path);
      writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from([0])]));
      refused(m, "ERR_FORMAT");
    });

    it("other bytes", () => {
      const m = network();
      const piece = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
      const files = [
        Buffer.from("junk"),
        Buffer.alloc(1000, 0xff),
        Buffer.alloc(1000),
        safetensors(""),
        safetensors("null"),
        safetensors("[]"),
        safetensors('{"a":'),
        safetensors({ x: 1 }),
        safetensors({ x: { ...piece, data_offsets: [4, 0] } }, new Uint8Array(4)),
        safetensors({ x: { ...piece, data_offsets: [0, 2 ** 53] } }, new Uint8Array(4)),
        safetensors({ x: { ...piece, shape: [2 ** 40, 2 ** 40] } }, new Uint8Array(4)),
        safetensors({ x: { ...piece, shape: [-1] } }, new Uint8Array(4)),
        safetensors({ x: piece, y: piece }, new Uint8Array(4)),
        safetensors({ x: { ...piece, dtype: "U8" } }, new Uint8Array(4)),
        safetensors({ x: { dtype: "BF16", shape: [2], data_offsets: [0, 4] } }, new Uint8Array(4)),
      ];
      for (const file of files) {
        writeFileSync(path, file);
        refused(m, "ERR_FORMAT");
      }
    });

    it("the file of another module", () => {
      const m = network();
      const load = (other: k.ModuleSpecification, dtype: k.Dtype = "float") => {
        const module = k.module(other);
        k.to(module, dtype);
        k.save(module, path);
      };
      const others = (inputs: number, ...more: k.ModuleSpecification[]) =>
        k.seq(
          "sequential",
          ["linear", "a", inputs, 4],
          ["batchnorm", "norm", 4],
          ["linear", "b", 4, 2, false],
          ...more,
        );
      load(others(3));
      k.load(m, path);
      load(others(5));
      expect(refused(m, "ERR_SHAPE")).toBe(`load: \`a.weight\`: expected float [4, 3], given float [4, 5] in ${path}`);
      load(others(3), "double");
      expect(refused(m, "ERR_DTYPE")).toContain(": expected float ");
      load(others(3, ["linear", "more", 2, 2]));
      expect(refused(m, "ERR_FORMAT")).toMatch(/holds `more\.(weight|bias)`, which the module does not have$/);
      load(k.seq("sequential", ["linear", "a", 3, 4]));
      expect(refused(m, "ERR_FORMAT")).toContain("lacks `norm.weight`");
      load("relu");
      expect(refused(m, "ERR_FORMAT")).toContain("lacks `a.weight`");
    });

    it("what is no path", () => {
      for (const invalid of [undefined, null, 1, [path], { path }]) {
        expectError("ERR_ARGUMENT", () => k.load(network(), invalid as never));
        expectError("ERR_ARGUMENT", () => k.save(network(), invalid as never));
      }
    });
  });

  describe("save", () => {
    it("into a folder that is not there is refused and leaves nothing", () => {
      const message = expectError("ERR_FILE", () => k.save(network(), join(folder, "missing", "model")));
      expect(message).toContain(`save: cannot write ${join(folder, "missing", "model")}: `);
      expect(readdirSync(folder)).toEqual([]);
    });

    it("over a folder is refused and leaves nothing", () => {
      mkdirSync(path);
      expectError("ERR_FILE", () => k.save(network(), path));
      expect(readdirSync(folder)).toEqual(["model.safetensors"]);
      expect(readdirSync(path)).toEqual([]);
    });

    it("replaces a file, and what a link points at", () => {
      writeFileSync(path, "something else");
      const link = join(folder, "link");
      symlinkSync(path, link);
      const m = network();
      k.save(m, link);
      expect(lstatSync(link).isSymbolicLink()).toBe(true);
      k.load(m, path);
      expect(readdirSync(folder).sort()).toEqual(["link", "model.safetensors"]);
    });
  });
});
