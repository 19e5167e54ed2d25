// Trips with minutes that depend on them, from a generator of random numbers with a seed.

import type { MadeTrip } from "@stepwell/example-service/trips";

/** Trips by a seed: a distance at a speed that depends on the hour, the weekday and the rain, and noise of a tenth. */
export function tripsOf(seed: number, count: number): readonly MadeTrip[] {
  let state = seed;
  // The minimal standard generator of Park and Miller.
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return Array.from({ length: count }, () => {
    const [distance, hour, weekday] = [0.5 + 15 * next(), 24 * next(), Math.floor(7 * next())];
    const rain = next() < 0.7 ? 0 : 5 * next();
    const rush = weekday < 5 ? Math.exp(-(((hour - 8) / 2) ** 2)) + Math.exp(-(((hour - 17) / 2) ** 2)) : 0;
    const minutes = (3 + 2 * distance * (1 + rush) * (1 + 0.1 * rain)) * (0.9 + 0.2 * next());
    return { distance, hour, weekday, rain, minutes };
  });
}
