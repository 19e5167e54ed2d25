// The handwritten digits: 28 × 28 grey values each, 8,000 to train on and 2,000 to test with.

export const side = 28;
export const pixels = side * side;
export const classes = 10;
export const trainingCount = 8000;
export const testCount = 2000;

/** Images one after the other, normalised, and the digit that each one shows. */
export interface Digits {
  readonly images: Float32Array;
  readonly labels: Uint8Array;
}

export interface SplitDigits {
  readonly training: Digits;
  readonly test: Digits;
  /** Mean and standard deviation of grey values from 0 (paper) to 1 (ink), for normalization. */
  readonly mean: number;
  readonly deviation: number;
}

/**
 * The digits from the bytes of the packed file: a label for each image, then a byte for each pixel. Training digits come
 * first, in an order that was shuffled once.
 */
export function unpack(bytes: Uint8Array): SplitDigits {
  const count = trainingCount + testCount;
  if (bytes.length !== count * (1 + pixels)) throw new Error(`expected ${count} digits, given ${bytes.length} bytes`);
  const labels = bytes.slice(0, count);
  const grey = bytes.subarray(count);
  const { mean, deviation } = moments(grey.subarray(0, trainingCount * pixels));
  const images = Float32Array.from(grey, (value) => (value / 255 - mean) / deviation);
  const part = (from: number, to: number) => ({
    images: images.subarray(from * pixels, to * pixels),
    labels: labels.subarray(from, to),
  });
  return { training: part(0, trainingCount), test: part(trainingCount, count), mean, deviation };
}

/** Undoes the packing. */
export async function decompress(packed: Blob): Promise<Uint8Array> {
  const stream = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Mean and deviation of grey values as numbers from 0 to 1. */
function moments(bytes: Uint8Array): { mean: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  for (const byte of bytes) {
    sum += byte;
    squares += byte * byte;
  }
  const mean = sum / bytes.length / 255;
  return { mean, deviation: Math.sqrt(squares / bytes.length / (255 * 255) - mean * mean) };
}
