// Synthetic ratings: the data sets of real ones may not be passed on, so a generator with a seed stands in.

/** Ratings one after the other: who rates what, and with how many stars. */
export interface Ratings {
  readonly users: readonly number[];
  readonly items: readonly number[];
  /** 1 to 5 stars. */
  readonly stars: readonly number[];
}

/** Ratings for training and for a test, and what the generator knows. */
export interface SplitRatings {
  readonly training: Ratings;
  readonly test: Ratings;
  readonly users: number;
  readonly items: number;
  /** The rounded mean of the generator for each rating of the test, without its noise: no model can know more. */
  readonly expected: readonly number[];
}

/** How the generator draws. */
export interface Plan {
  readonly users: number;
  readonly items: number;
  /** Ratings before the split; a tenth is for the test. */
  readonly ratings: number;
  readonly seed: number;
}

/** The data of the example. */
export const plan: Plan = { users: 1000, items: 400, ratings: 60_000, seed: 1 };

/** Numbers in each hidden vector of the generator. */
const tastes = 3;
/** Standard deviation in stars of what differs between two ratings of one user for one item. */
const noise = 0.5;

/** Random numbers in [0, 1) of a seed: the generator of Lehmer, with the constants of Park and Miller. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Normal random numbers by the method of Box and Muller. */
const normalOf = (random: () => number) => () =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/**
 * Draws ratings. A rating is 3.5 stars, plus offsets of the user and of the item, the product of their hidden vectors, and
 * noise. It is rounded to 1 to 5 stars. Popular items are rated more often. A user rates an item at most once.
 */
export function ratingsOf({ users, items, ratings, seed }: Plan): SplitRatings {
  const random = randomOf(seed);
  const normal = normalOf(random);
  const vectors = (count: number) =>
    Array.from({ length: count }, () => ({
      offset: 0.4 * normal(),
      taste: Array.from({ length: tastes }, () => 0.7 * normal()),
    }));
  const [user, item] = [vectors(users), vectors(items)];

  const rated = new Set<number>();
  const split = { training: emptyRatings(), test: emptyRatings() };
  const expected: number[] = [];
  while (rated.size < ratings) {
    const u = Math.floor(random() * users);
    // The square makes items of low numbers more popular.
    const i = Math.floor(random() ** 2 * items);
    if (rated.has(u * items + i)) continue;
    rated.add(u * items + i);
    const [a, b] = [user[u] as (typeof user)[0], item[i] as (typeof item)[0]];
    const mean = a.taste.reduce((sum, x, d) => sum + x * (b.taste[d] as number), 3.5 + a.offset + b.offset);
    const stars = inRange(Math.round(mean + noise * normal()));
    const isTest = random() < 0.1;
    const part = isTest ? split.test : split.training;
    part.users.push(u);
    part.items.push(i);
    part.stars.push(stars);
    if (isTest) expected.push(inRange(mean));
  }
  return { ...split, users, items, expected };
}

const emptyRatings = () => ({ users: [] as number[], items: [] as number[], stars: [] as number[] });

/** A number of stars that can be given. */
export const inRange = (stars: number): number => Math.min(5, Math.max(1, stars));

/** The root of the mean squared error, in stars. */
export function rmse(predicted: readonly number[], stars: readonly number[]): number {
  const sum = stars.reduce((total, star, n) => total + (star - (predicted[n] as number)) ** 2, 0);
  return Math.sqrt(sum / stars.length);
}
