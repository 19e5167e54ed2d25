// Several measurements, and their summary in a table.

export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of those that were taken: who sits out a round has none in it. */
export function figure(values: readonly number[]): Figure {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const median = (at(Math.ceil(middle) - 1) + at(Math.floor(middle))) / 2;
  return { median: short(median), min: short(at(0)), max: short(at(sorted.length - 1)) };
}

/** Five digits: no measurement here has more. */
function short(number: number): number {
  return Number(number.toPrecision(5));
}
