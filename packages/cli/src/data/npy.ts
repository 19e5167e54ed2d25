// NumPy's format of one array: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.

import { formatError } from "../command-error.js";
import { elementCount, elementTypes, type NumberArray } from "./arrays.js";

/** Types of NumPy, without the order of bytes. */
const types: Readonly<Record<string, string>> = {
  f8: "float64",
  f4: "float32",
  f2: "float16",
  i8: "int64",
  u8: "uint64",
  i4: "int32",
  u4: "uint32",
  i2: "int16",
  u2: "uint16",
  i1: "int8",
  u1: "uint8",
  b1: "bool",
};

/** Reads the array of an npy file of version 1, 2 or 3. */
export function parseNpy(path: string, bytes: Uint8Array): NumberArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || Buffer.from(bytes.subarray(0, 6)).toString("latin1") !== "\x93NUMPY") {
    throw formatError(path, "expected an npy file, which begins with \\x93NUMPY");
  }
  const version = view.getUint8(6);
  if (version < 1 || version > 3) throw formatError(path, `expected version 1, 2 or 3 of npy, given ${version}`);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (start + length > bytes.length) throw formatError(path, "the file ends in its header");
  const header = Buffer.from(bytes.subarray(start, start + length)).toString(version === 3 ? "utf8" : "latin1");
  const { descr, isFortran, shape } = parseHeader(path, header);
  const [, order = "", name = ""] = /^([<>|=])(\w\d+)$/.exec(descr) ?? [];
  const type = elementTypes[types[name] ?? ""];
  if (!type || (order === ">" && type.bytes > 1)) {
    throw formatError(path, `expected little-endian numbers, given the type "${descr}"`);
  }
  if (isFortran && shape.length > 1) {
    throw formatError(path, "expected an array in C order: save numpy.ascontiguousarray(array)");
  }
  const count = elementCount(shape);
  const given = bytes.length - start - length;
  if (given !== count * type.bytes) {
    throw formatError(
      path,
      `expected ${count * type.bytes} bytes of elements for [${shape.join(", ")}], given ${given}`,
    );
  }
  const elements = new DataView(bytes.buffer, bytes.byteOffset + start + length, given);
  return { shape, data: type.read(elements, count), isInteger: type.isInteger };
}

/** The header is a dictionary of Python with three keys. */
function parseHeader(path: string, header: string) {
  const descr = /'descr'\s*:\s*'([^']+)'/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const sizes = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || sizes === undefined) {
    throw formatError(path, "expected a header with descr, fortran_order and shape of plain numbers");
  }
  const shape = [...sizes.matchAll(/\d+/g)].map(([size]) => Number(size));
  return { descr, isFortran: order === "True", shape };
}
