// The IDX format of MNIST: two zero bytes, a type, the number of dimensions, sizes and elements, all big-endian.

import { formatError } from "../command-error.js";
import { elementCount, type NumberArray } from "./arrays.js";

/** Types by their byte. */
const types: Readonly<
  Record<number, { readonly bytes: number; readonly isInteger: boolean; get(view: DataView, at: number): number }>
> = {
  8: { bytes: 1, isInteger: true, get: (view, at) => view.getUint8(at) },
  9: { bytes: 1, isInteger: true, get: (view, at) => view.getInt8(at) },
  11: { bytes: 2, isInteger: true, get: (view, at) => view.getInt16(at) },
  12: { bytes: 4, isInteger: true, get: (view, at) => view.getInt32(at) },
  13: { bytes: 4, isInteger: false, get: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, isInteger: false, get: (view, at) => view.getFloat64(at) },
};

/** Reads the array of an IDX file. */
export function parseIdx(path: string, bytes: Uint8Array): NumberArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = bytes.length >= 4 && view.getUint16(0) === 0 ? types[view.getUint8(2)] : undefined;
  if (!type) throw formatError(path, "expected an IDX file, which begins with two zeros and a type");
  const dimensions = view.getUint8(3);
  const start = 4 + 4 * dimensions;
  if (bytes.length < start) throw formatError(path, "the file ends in its header");
  const shape = Array.from({ length: dimensions }, (_, index) => view.getUint32(4 + 4 * index));
  const count = elementCount(shape);
  if (bytes.length - start !== count * type.bytes) {
    const expected = `expected ${count * type.bytes} bytes of elements for [${shape.join(", ")}]`;
    throw formatError(path, `${expected}, given ${bytes.length - start}`);
  }
  const data = new Float64Array(count);
  for (let i = 0; i < count; i++) data[i] = type.get(view, start + i * type.bytes);
  return { shape, data, isInteger: type.isInteger };
}
