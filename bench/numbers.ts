// The numbers that every contender starts from, and the checksum that compares their steps. As in native/src/numbers.rs
// and children/pytorch.py.

export type Shape = readonly number[];

const period = 1000;
/** Enough elements of each tensor to see that it was updated. */
const lookedAt = 100_000;

export function elements(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function count(shapes: readonly Shape[]): number {
  return shapes.reduce((sum, shape) => sum + elements(shape), 0);
}

/** Numbers between -0.5 and 0.5, in no order, and again from the start after a thousand. */
function filled(length: number, factor: number): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(length);
  const first = Math.min(length, period);
  for (let i = 0; i < first; i++) numbers[i] = ((i * factor) % period) / period - 0.5;
  for (let done = first; done < length; done *= 2) numbers.copyWithin(done, 0, Math.min(done, length - done));
  return numbers;
}

export const parameters = (shape: Shape) => filled(elements(shape), 7919);
export const gradients = (shape: Shape) => filled(elements(shape), 104_729);

/** How far tensors have moved along their gradients. */
export function moved(tensors: Iterable<ArrayLike<number | bigint>>): number {
  const start = parameters([period]);
  const gradient = gradients([period]);
  let sum = 0;
  for (const tensor of tensors) {
    const length = Math.min(tensor.length, lookedAt);
    for (let i = 0; i < length; i++) {
      sum += (Number(tensor[i]) - (start[i % period] ?? 0)) * (gradient[i % period] ?? 0);
    }
  }
  return sum;
}
