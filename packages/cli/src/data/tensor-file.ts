// Safetensors files of tensors to the bit, with texts in their metadata.

import { readFileSync, writeFileSync } from "node:fs";
import type { TypedTensor } from "@stepwell/sdk";
import { fileError, formatError } from "../command-error.js";
import { elementTypes } from "./arrays.js";
import { readHeader } from "./safetensors-header.js";

/** The content of a file. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, TypedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The types of tensors in files: the elements of some bytes, and the word for a type that the array does not tell. */
const types: Readonly<
  Record<string, { readonly read: (bytes: ArrayBuffer) => ArrayBufferView; readonly dtype?: string }>
> = {
  F64: { read: (bytes) => new Float64Array(bytes) },
  F32: { read: (bytes) => new Float32Array(bytes) },
  F16: { read: (bytes) => narrow("float16", bytes), dtype: "half" },
  BF16: { read: (bytes) => narrow("bfloat16", bytes), dtype: "bfloat16" },
  I64: { read: (bytes) => new BigInt64Array(bytes) },
};

/** Numbers of 16 bits, which the SDK has in a `Float32Array`. */
function narrow(name: "float16" | "bfloat16", bytes: ArrayBuffer): Float32Array {
  return Float32Array.from(elementTypes[name]?.read(new DataView(bytes), bytes.byteLength / 2) ?? []);
}

/** Reads the tensors of a file and its metadata. */
export function readTensorFile(path: string): TensorFile {
  // Checks that there is a header.
  const header = readHeader(path).text;
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const tensors = new Map<string, TypedTensor>();
  try {
    const { __metadata__: metadata = {}, ...entries } = JSON.parse(header);
    for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries<Entry>(entries)) {
      const type = types[dtype];
      if (!type)
        throw formatError(path, `the tensor "${name}" has the type ${dtype}, which an optimizer does not have`);
      const [begin, end] = [start + offsets[0], start + offsets[1]];
      if (!(begin <= end && end <= bytes.length)) throw formatError(path, `the file ends in the tensor "${name}"`);
      const data = type.read(Uint8Array.from(bytes.subarray(begin, end)).buffer);
      tensors.set(name, { data, shape, ...(type.dtype && { dtype: type.dtype }) } as TypedTensor);
    }
    return { tensors, metadata };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) {
      throw formatError(path, "expected a safetensors file");
    }
    throw error;
  }
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Writes a file. Numbers are little-endian, as on every machine that Node runs on. */
export function writeTensorFile(path: string, { tensors, metadata }: TensorFile): void {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const parts: Uint8Array[] = [];
  let end = 0;
  // Wide elements first, so that each begins at a multiple of its size.
  const widest = (tensor: TypedTensor) => tensor.data.BYTES_PER_ELEMENT;
  for (const [name, tensor] of [...tensors].sort(([, a], [, b]) => widest(b) - widest(a))) {
    const { data, shape } = tensor;
    header[name] = { dtype: nameOf(tensor), shape, data_offsets: [end, end + data.byteLength] };
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    end += data.byteLength;
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(
    text.padEnd(Math.ceil(Buffer.byteLength(text) / 8) * 8 - Buffer.byteLength(text) + text.length),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  try {
    writeFileSync(path, Buffer.concat([length, padded, ...parts]));
  } catch (error) {
    throw fileError(path, error);
  }
}

/** The type in the file. Numbers of 16 bits are written as floats of 32 bits, which hold them exactly. */
function nameOf({ data }: TypedTensor): string {
  if (data instanceof Float64Array) return "F64";
  if (data instanceof Float32Array) return "F32";
  if (data instanceof BigInt64Array) return "I64";
  throw new Error(`a tensor of ${data.constructor.name} is no state of an optimizer`);
}
