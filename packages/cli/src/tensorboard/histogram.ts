// Histograms with buckets that grow with the distance from zero, so that small and large numbers keep their shape.

/** A histogram of numbers. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** The upper limit of each bucket. */
  readonly limits: readonly number[];
  /** The count of each bucket. */
  readonly counts: readonly number[];
}

/** Upper limits of buckets above zero: from 1e-12 to 1e20, each 1.1 times the one before. */
const positive: readonly number[] = Array.from(
  { length: Math.ceil(Math.log(1e32) / Math.log(1.1)) },
  (_, index) => 1e-12 * 1.1 ** index,
);
const limits: readonly number[] = [...positive.map((limit) => -limit).reverse(), 0, ...positive, Number.MAX_VALUE];

/** The histogram of numbers. Numbers that are not finite are left out. Undefined if none is left. */
export function histogramOf(values: ArrayLike<number>): Histogram | undefined {
  const counts = new Uint32Array(limits.length);
  let [min, max, count, sum, sumOfSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    const bucket = bucketOf(value);
    counts[bucket] = (counts[bucket] as number) + 1;
    min = Math.min(min, value);
    max = Math.max(max, value);
    count += 1;
    sum += value;
    sumOfSquares += value * value;
  }
  if (count === 0) return undefined;
  // Of empty buckets, the one below a full bucket stays: its limit is the lower one of the full bucket.
  const kept = limits.flatMap((limit, index) =>
    counts[index] !== 0 || (counts[index + 1] ?? 0) !== 0 ? [[limit, counts[index] as number] as const] : [],
  );
  return {
    ...{ min, max, count, sum, sumOfSquares },
    limits: kept.map(([limit]) => limit),
    counts: kept.map(([, count]) => count),
  };
}

/** The index of the first limit that is at least the value. */
function bucketOf(value: number): number {
  let [low, high] = [0, limits.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((limits[middle] as number) >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}
