// The generator of the orders of a shuffle: sfc32 of PractRand 0.94 (Doty-Humphrey 2018), which passes its tests to 2^45 bytes.
//
// The generator of the session is not used for each item: items are read ahead of the steps, whose dropout draws from it. It gives the
// key of an epoch instead.

/** Words of 32 bits of a key. */
export const KEY_WORDS = 4;

/** Rounds after which each bit of the key has changed each bit of the state, as PractRand seeds three words. */
const ROUNDS = 15;

/** The key of an epoch that a seed decides. */
export function keyOfSeed(seed: number, epoch: number): readonly number[] {
  return [seed % 2 ** 32, Math.floor(seed / 2 ** 32), epoch % 2 ** 32, 1];
}

/** A function that draws a whole number below a limit. The numbers differ in probability by less than the limit / 2^32. */
export function drawsBelow(key: readonly number[]): (limit: number) => number {
  let [a = 0, b = 0, c = 0, counter = 0] = key;
  const word = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < ROUNDS; round++) word();
  return (limit) => Math.floor((word() / 2 ** 32) * limit);
}
