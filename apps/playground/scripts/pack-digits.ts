// Packs the digits of the demo into one file for the page: a tenth of their size as JSON.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { readDigits } from "@stepwell/example-digits/digits";

/** A small generator of random numbers, so that the order does not depend on an engine. */
function* randomNumbers(seed: number): Generator<number> {
  // Numerical Recipes' linear congruential generator, of which the upper bits are used.
  for (let state = seed >>> 0; ; state = (Math.imul(state, 1664525) + 1013904223) >>> 0) yield state / 2 ** 32;
}

const { images, labels } = readDigits();
const pixels = images.length / labels.length;
const order = Array.from(labels.keys());
const random = randomNumbers(1);
for (let last = order.length - 1; last > 0; last--) {
  const other = Math.floor((random.next().value as number) * (last + 1));
  [order[last], order[other]] = [order[other] as number, order[last] as number];
}

const bytes = new Uint8Array(order.length * (1 + pixels));
for (const [to, from] of order.entries()) {
  bytes[to] = labels[from] as number;
  const image = images.subarray(from * pixels, (from + 1) * pixels);
  bytes.set(
    Array.from(image, (grey) => Math.round(grey * 255)),
    order.length + to * pixels,
  );
}

const file = fileURLToPath(new URL("../../src/data/digits.bin", import.meta.url));
mkdirSync(dirname(file), { recursive: true });
const packed = gzipSync(bytes, { level: 9 });
writeFileSync(file, packed);
console.error(`digits: ${order.length} in ${(packed.length / 1e6).toFixed(1)} MB`);
