// Arrays of numbers, as npy, IDX and safetensors files have them.

/** Numbers in row-major order. */
export interface NumberArray {
  /** Sizes of the dimensions. */
  readonly shape: readonly number[];
  /** The elements. 64-bit integers are numbers, and exact up to 2^53. */
  readonly data: ArrayLike<number>;
  /** Whether the elements are integers of the file, such as labels or pixels. */
  readonly isInteger: boolean;
}

/** Elements of a type in little-endian bytes. */
export type ElementReader = (view: DataView, count: number) => ArrayLike<number>;

function reader(bytes: number, get: (view: DataView, offset: number) => number): ElementReader {
  return (view, count) => {
    const data = new Float64Array(count);
    for (let i = 0; i < count; i++) data[i] = get(view, i * bytes);
    return data;
  };
}

/** The types that files have here, by a name of their own. */
export const elementTypes: Readonly<
  Record<string, { readonly bytes: number; readonly isInteger: boolean; readonly read: ElementReader }>
> = {
  float64: { bytes: 8, isInteger: false, read: reader(8, (view, at) => view.getFloat64(at, true)) },
  float32: { bytes: 4, isInteger: false, read: reader(4, (view, at) => view.getFloat32(at, true)) },
  float16: { bytes: 2, isInteger: false, read: reader(2, (view, at) => fromHalf(view.getUint16(at, true))) },
  bfloat16: { bytes: 2, isInteger: false, read: reader(2, (view, at) => fromBfloat16(view.getUint16(at, true))) },
  int64: { bytes: 8, isInteger: true, read: reader(8, (view, at) => Number(view.getBigInt64(at, true))) },
  uint64: { bytes: 8, isInteger: true, read: reader(8, (view, at) => Number(view.getBigUint64(at, true))) },
  int32: { bytes: 4, isInteger: true, read: reader(4, (view, at) => view.getInt32(at, true)) },
  uint32: { bytes: 4, isInteger: true, read: reader(4, (view, at) => view.getUint32(at, true)) },
  int16: { bytes: 2, isInteger: true, read: reader(2, (view, at) => view.getInt16(at, true)) },
  uint16: { bytes: 2, isInteger: true, read: reader(2, (view, at) => view.getUint16(at, true)) },
  int8: { bytes: 1, isInteger: true, read: reader(1, (view, at) => view.getInt8(at)) },
  uint8: { bytes: 1, isInteger: true, read: reader(1, (view, at) => view.getUint8(at)) },
  bool: { bytes: 1, isInteger: true, read: reader(1, (view, at) => (view.getUint8(at) === 0 ? 0 : 1)) },
};

/** A number of IEEE 754's binary16 from its bits. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const float = new DataView(new ArrayBuffer(4));

function fromBfloat16(bits: number): number {
  float.setUint32(0, bits << 16);
  return float.getFloat32(0);
}

/** The number of elements of a shape. */
export const elementCount = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);
