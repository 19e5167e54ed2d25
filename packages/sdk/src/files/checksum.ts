// The checksum of a file: SHA-256 of the SHA-256 of each of its blocks, in which its own digits count as zeros.

import { sha256 } from "./sha256.js";

/** In bytes, 4 MiB. */
const BLOCK = 2 ** 22;

/** The checksum of a file whose digits stand at a place. */
export function checksumOf(file: Uint8Array, digits: { readonly start: number; readonly end: number }): string {
  const blocks: Uint8Array[] = [];
  for (let start = 0; start < file.length; start += BLOCK) {
    const block = file.subarray(start, start + BLOCK);
    blocks.push(sha256(start < digits.end ? withZeros(block, digits.start - start, digits.end - start) : block));
  }
  const all = new Uint8Array(32 * blocks.length);
  for (const [i, digest] of blocks.entries()) all.set(digest, 32 * i);
  return hexadecimal(sha256(all));
}

/** Bytes with the digit 0 in places. */
function withZeros(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return bytes.slice().fill(48, start, end);
}

const hexadecimal = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
