// A drawing as the handwritten digits are: LeCun et al. scaled each digit into 20 × 20 pixels, keeping its proportions, and
// put its centre of mass in the middle of 28 × 28, <http://yann.lecun.com/exdb/mnist>.

import { side } from "../digits-data.js";

const inner = 20;

/** The digit of a square drawing with grey values from 0 to 1; undefined if nothing is drawn. */
export function center(ink: Float32Array, size: number): Float32Array | undefined {
  let [left, right, top, bottom] = [size, -1, size, -1];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if ((ink[y * size + x] ?? 0) < 0.1) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  if (right < 0) return undefined;

  // Pixels of the drawing for one of the digit.
  const scale = Math.max(right - left + 1, bottom - top + 1) / inner;
  const [width, height] = [(right - left + 1) / scale, (bottom - top + 1) / scale];
  const small = new Float32Array(inner * inner);
  let [mass, massX, massY] = [0, 0, 0];
  for (let y = 0; y < Math.ceil(height); y++) {
    for (let x = 0; x < Math.ceil(width); x++) {
      const grey = mean(ink, size, left + x * scale, top + y * scale, scale);
      small[y * inner + x] = grey;
      mass += grey;
      massX += grey * (x + 0.5);
      massY += grey * (y + 0.5);
    }
  }
  const [dx, dy] = [Math.round(side / 2 - massX / mass), Math.round(side / 2 - massY / mass)];
  const image = new Float32Array(side * side);
  for (let y = 0; y < inner; y++) {
    for (let x = 0; x < inner; x++) {
      const [toX, toY] = [x + dx, y + dy];
      if (toX >= 0 && toX < side && toY >= 0 && toY < side) image[toY * side + toX] = small[y * inner + x] ?? 0;
    }
  }
  return image;
}

/** The mean grey of a square of the drawing. */
function mean(ink: Float32Array, size: number, left: number, top: number, width: number): number {
  let [sum, count] = [0, 0];
  for (let y = Math.floor(top); y < Math.min(size, Math.ceil(top + width)); y++) {
    for (let x = Math.floor(left); x < Math.min(size, Math.ceil(left + width)); x++) {
      sum += ink[y * size + x] ?? 0;
      count++;
    }
  }
  return count > 0 ? sum / count : 0;
}
