// Predictions without training, to compare with.

import { inRange, type Ratings } from "./ratings.js";

/** The mean of all ratings of the training. */
export function meanOf({ stars }: Ratings): number {
  return stars.reduce((sum, star) => sum + star, 0) / stars.length;
}

/** Ratings that count as if each item and each user had them without an offset, so that few ratings do not decide alone. */
const damping = 5;

/** The mean, the offset of the item from it, and the offset of the user from both. */
export function offsetsOf(training: Ratings, users: number, items: number): (ratings: Ratings) => number[] {
  const mean = meanOf(training);
  const offsets = (keys: readonly number[], count: number, rest: (n: number) => number) => {
    const [sums, counts] = [new Float64Array(count), new Float64Array(count).fill(damping)];
    for (const [n, key] of keys.entries()) {
      sums[key] = (sums[key] as number) + (training.stars[n] as number) - rest(n);
      counts[key] = (counts[key] as number) + 1;
    }
    return sums.map((sum, key) => sum / (counts[key] as number));
  };
  const item = offsets(training.items, items, () => mean);
  const user = offsets(training.users, users, (n) => mean + (item[training.items[n] as number] as number));
  return (ratings) =>
    ratings.users.map((u, n) => inRange(mean + (user[u] as number) + (item[ratings.items[n] as number] as number)));
}
