// Elements of a tensor as text: all of a small one, the edges of a large one.

import type { TypedTensor } from "../binding.js";
import type { TextStyle } from "../inspect.js";
import { elementsOf } from "./outline.js";

/** Number of elements up to which a tensor is shown whole: an image of 8 x 8, or a list as long as two lines. */
const MAX_WHOLE = 64;
/** Number of elements that a text shows at most, a screen of 25 lines with 6 numbers each. */
const MAX_SHOWN = 150;
/** Elements at each end of a dimension that is cut; fewer if there are many dimensions. */
const EDGES = [3, 2, 1];
/** Significant digits of a number with a fraction. */
const DIGITS = 5;
/** Characters of a line: 80, less what is around a text. */
const LINE = 72;

/** The elements that a text shows. */
export interface Excerpt {
  readonly size: readonly number[];
  /** The positions along each dimension. */
  readonly positions: readonly (readonly number[])[];
  /** Row-major indices of the elements. */
  readonly indices: readonly number[];
}

/** The elements of a tensor of that size that a text shows; undefined if it has too many dimensions for it. */
export function excerptOf(size: readonly number[]): Excerpt | undefined {
  const edge =
    listsOf(size) <= MAX_WHOLE
      ? Number.POSITIVE_INFINITY
      : EDGES.find((edge) => listsOf(size.map((n) => Math.min(n, 2 * edge))) <= MAX_SHOWN);
  if (edge === undefined) return undefined;
  const positions = size.map((n) => positionsIn(n, edge));
  let indices = [0];
  size.forEach((n, dimension) => {
    const along = positions[dimension] as readonly number[];
    indices = indices.flatMap((index) => along.map((position) => index * n + position));
  });
  return { size, positions, indices };
}

/** The number of elements, or of lists if these are empty. */
const listsOf = (size: readonly number[]): number => elementsOf(size.map((n) => Math.max(n, 1)));

function positionsIn(n: number, edge: number): readonly number[] {
  const ends = Math.min(n, 2 * edge);
  return Array.from({ length: ends }, (_, i) => (n > ends && i >= edge ? n - ends + i : i));
}

/** The elements of an excerpt, in brackets as deep as there are dimensions. They take one line if they fit. */
export function elementsText(excerpt: Excerpt, data: TypedTensor["data"], style: TextStyle): string {
  const numbers = Array.from<number | bigint, string>(data, numberText);
  const inOneLine = nested(excerpt, numbers, (text) => text, ", ");
  if (inOneLine.length <= LINE || excerpt.size.length < 2) {
    return nested(excerpt, numbers, (text) => style.paint(text, "number"), ", ");
  }
  const width = Math.max(...numbers.map((text) => text.length));
  return nested(excerpt, numbers, (text) => " ".repeat(width - text.length) + style.paint(text, "number"), ",\n");
}

/** `between` stands between two lists. */
function nested(
  { size, positions }: Excerpt,
  numbers: readonly string[],
  write: (text: string) => string,
  between: string,
): string {
  let next = 0;
  const text = (dimension: number): string => {
    const along = positions[dimension];
    if (along === undefined) return write(numbers[next++] as string);
    const items: string[] = [];
    along.forEach((position, i) => {
      if (position !== (along[i - 1] ?? -1) + 1) items.push("…");
      items.push(text(dimension + 1));
    });
    const isInner = dimension === size.length - 1;
    const separator = isInner ? ", " : between.endsWith("\n") ? between + " ".repeat(dimension + 1) : between;
    return `[${items.join(separator)}]`;
  };
  return text(0);
}

/** A number with few digits. A whole number keeps all of its digits up to 10^15. */
export function numberText(x: number | bigint): string {
  if (typeof x === "bigint") return String(x);
  if (Object.is(x, -0)) return "-0";
  if (Math.abs(x) >= 1e15) return String(Number(x.toPrecision(DIGITS)));
  if (Number.isInteger(x) || Number.isNaN(x)) return String(x);
  return Math.abs(x) >= 10 ** DIGITS ? String(Math.round(x)) : String(Number(x.toPrecision(DIGITS)));
}
