// Tensors of data in safetensors files. Parameters of models are the SDK's.

import { formatError } from "../command-error.js";
import { elementCount, elementTypes, type NumberArray } from "./arrays.js";

const types: Readonly<Record<string, string>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  U64: "uint64",
  I32: "int32",
  U32: "uint32",
  I16: "int16",
  U16: "uint16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
};

/** Reads the named tensors. */
export function parseSafetensors(path: string, bytes: Uint8Array, names: readonly string[]): readonly NumberArray[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length >= 8 ? Number(view.getBigUint64(0, true)) : Number.POSITIVE_INFINITY;
  if (8 + length > bytes.length)
    throw formatError(path, "expected a safetensors file, given one that ends in its header");
  const header = parseHeader(path, Buffer.from(bytes.subarray(8, 8 + length)).toString());
  return names.map((name) => {
    const entry = Object.hasOwn(header, name) ? header[name] : undefined;
    if (!entry) {
      const known = Object.keys(header).filter((key) => key !== "__metadata__");
      throw formatError(path, `expected a tensor "${name}", given ${known.slice(0, 10).join(", ") || "none"}`);
    }
    const { dtype, shape, data_offsets: offsets } = entry as Readonly<Record<string, unknown>>;
    const type = elementTypes[types[String(dtype)] ?? ""];
    const isWhole = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
    if (!type || !Array.isArray(shape) || !shape.every(isWhole) || !Array.isArray(offsets) || !offsets.every(isWhole)) {
      throw formatError(path, `the tensor "${name}" has a type or shape that cannot be read: ${JSON.stringify(entry)}`);
    }
    const [begin, end] = offsets as [number, number];
    const count = elementCount(shape);
    if (end - begin !== count * type.bytes || 8 + length + end > bytes.length) {
      throw formatError(path, `the tensor "${name}" has other bytes than its shape needs`);
    }
    const elements = new DataView(bytes.buffer, bytes.byteOffset + 8 + length + begin, end - begin);
    return { shape, data: type.read(elements, count), isInteger: type.isInteger };
  });
}

function parseHeader(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // The message of JSON.parse would show the bytes of another format.
  }
  throw formatError(path, "expected a safetensors file, given one without a header of JSON");
}
