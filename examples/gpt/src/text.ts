// The text as numbers of characters, and random pieces of it.

import { readFileSync } from "node:fs";

/** William Shakespeare, Coriolanus, acts 1 to 4, about 100 kB. In the public domain. */
export const text = readFileSync(new URL("../coriolanus.txt", import.meta.url), "utf8");

const alphabet = [...new Set(text)].sort();
export const characters = alphabet.length;
export const encode = (piece: string): number[] => [...piece].map((character) => alphabet.indexOf(character));
export const decode = (numbers: readonly number[]): string => numbers.map((n) => alphabet[n] ?? "").join("");

const all = encode(text);
/** The last tenth is kept for tests. */
const split = Math.floor(all.length * 0.9);

/** `count` pieces of the text for training or for tests, and for each the characters that follow. */
export function pieces(count: number, context: number, random: () => number, part: "training" | "test" = "training") {
  const [first, end] = part === "training" ? [0, split] : [split, all.length];
  const starts = Array.from({ length: count }, () => first + Math.floor(random() * (end - first - context - 1)));
  const cut = (shift: number) => starts.map((start) => all.slice(start + shift, start + shift + context));
  return { tokens: cut(0), targets: cut(1) };
}

/** Random numbers in [0, 1) of a seed: the generator of Lehmer, with the constants of Park and Miller. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
