// Data that compresses well. Tables have addresses of texts and indices of functions, of which most follow from the words before
// them. Such a word is stored as a mark, and a start function puts the word in its place.

import { Reader } from "./wasm-binary.mjs";

/** The binary format's number of the section with data. */
const dataSection = 11;
/** In bytes. Addresses and indices have this size and alignment. */
const wordSize = 4;
/** Words in this range count as indices of functions. Lengths of texts are mostly smaller, and the module has 1,300 such functions. */
const [leastIndex, mostIndex] = [256, 2047];

/** The module with marks in its data, and its start function: a module in the text format that has the memory of `engine`. */
export function withMarkedWords(wasm) {
  const marked = Buffer.from(wasm);
  const { at, first, count } = firstSegment(wasm);
  const words = Array.from({ length: count }, (_, place) => wasm.readUInt32LE(at + place * wordSize));
  const [nextIndex, nextText] = [...Array(leastIndex).keys()].filter((word) => !words.includes(word));
  if (nextText === undefined) throw new Error(`the data has all words below ${leastIndex}, so none can be a mark`);
  const last = first + count * wordSize;
  let [index, text, end] = [0, 0, 0];
  for (const [place, word] of words.entries()) {
    if (word === index + 1) marked.writeUInt32LE(nextIndex, at + place * wordSize);
    else if (word === end) marked.writeUInt32LE(nextText, at + place * wordSize);
    // The length of a text follows its address.
    if (text !== 0) end = text + word;
    text = word >= first && word < last ? word : 0;
    if (word >= leastIndex && word <= mostIndex) index = word;
  }
  return { marked, start: startModule({ first, last, nextIndex, nextText }) };
}

/** Where the first segment of the data is in the module, its address in memory, and the number of its whole words. */
function firstSegment(wasm) {
  const reader = new Reader(wasm);
  for (reader.at = 8; reader.byte() !== dataSection; ) reader.skip(reader.number());
  reader.numbers(3);
  // After the instruction `i32.const`.
  reader.skip(1);
  const first = reader.number();
  reader.skip(1);
  const count = Math.floor(reader.number() / wordSize);
  return { at: reader.at, first, count };
}

/** Does for each word what the loop above does, with the mark in place of the word. */
function startModule({ first, last, nextIndex, nextText }) {
  return `(module
    (import "engine" "memory" (memory 1))
    (func $restore (local $at i32) (local $word i32) (local $index i32) (local $text i32) (local $end i32)
      (local.set $at (i32.const ${first}))
      (loop $words
        (local.set $word (i32.load (local.get $at)))
        (if (i32.eq (local.get $word) (i32.const ${nextIndex}))
          (then (local.set $word (i32.add (local.get $index) (i32.const 1)))))
        (if (i32.eq (local.get $word) (i32.const ${nextText}))
          (then (local.set $word (local.get $end))))
        (i32.store (local.get $at) (local.get $word))
        (if (local.get $text)
          (then (local.set $end (i32.add (local.get $text) (local.get $word)))))
        (local.set $text
          (select (local.get $word) (i32.const 0)
            (i32.lt_u (i32.sub (local.get $word) (i32.const ${first})) (i32.const ${last - first}))))
        (if (i32.le_u (i32.sub (local.get $word) (i32.const ${leastIndex})) (i32.const ${mostIndex - leastIndex}))
          (then (local.set $index (local.get $word))))
        (local.set $at (i32.add (local.get $at) (i32.const ${wordSize})))
        (br_if $words (i32.lt_u (local.get $at) (i32.const ${last})))))
    (start $restore))`;
}
