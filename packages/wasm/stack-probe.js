// A check of the free stack that takes some nanoseconds: a WebAssembly function with a large frame, generated here.
//
// JavaScript engines compare the size of a frame with the free stack before they enter a function of WebAssembly. The frame has
// a slot for each local that lives across a call. The code that uses the locals never runs, so the frame is allocated but not
// written.

/** Locals of 16 bytes: a frame of 16 KiB. */
const slots = 1024;
/** Frames: 96 KiB. Measured calls need less than 64 KiB in the baseline compiler of V8, whose frames are the largest. */
const frames = 6;

/** A number below 2 ** 14 in LEB128, in two bytes for any size. */
const leb128 = (number) => [(number & 0x7f) | 0x80, number >>> 7];
/** A number below 2 ** 20 in LEB128, in three bytes for any size. */
const longLeb128 = (number) => [(number & 0x7f) | 0x80, ((number >>> 7) & 0x7f) | 0x80, number >>> 14];

const section = (id, content) => [id, ...longLeb128(content.length), ...content];

/**
 * The module
 *
 *     (func $probe (export "probe") (param $frames i32) (local v128 v128 ...)
 *       (if (i32.lt_s (local.get $frames) (i32.const 0))
 *         (then (load each local from memory) (call $probe (i32.const 0)) (store each local)))
 *       (if (local.get $frames)
 *         (then (call $probe (i32.sub (local.get $frames) (i32.const 1))))))
 */
function probeModule() {
  const [i32, v128, empty] = [0x7f, 0x7b, 0x40];
  const [localGet, localSet, i32Const, call, ifThen, end] = [0x20, 0x21, 0x41, 0x10, 0x04, 0x0b];
  const [isLess, subtract] = [0x48, 0x6b];
  const [load, store] = [
    [0xfd, 0, 0, 0],
    [0xfd, 11, 0, 0],
  ];
  const code = [localGet, 0, i32Const, 0, isLess, ifThen, empty];
  for (let slot = 0; slot < slots; slot++) {
    code.push(i32Const, ...longLeb128(16 * slot), ...load, localSet, ...leb128(1 + slot));
  }
  code.push(i32Const, 0, call, 0);
  for (let slot = 0; slot < slots; slot++) {
    code.push(i32Const, ...longLeb128(16 * slot), localGet, ...leb128(1 + slot), ...store);
  }
  code.push(end, localGet, 0, ifThen, empty, localGet, 0, i32Const, 1, subtract, call, 0, end, end);

  const locals = [1, ...leb128(slots), v128];
  const size = locals.length + code.length;
  const head = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, i32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [1, 5, ...new TextEncoder().encode("probe"), 0, 0]),
    ...[10, ...longLeb128(size + 4), 1, ...longLeb128(size), ...locals],
  ];
  const bytes = new Uint8Array(head.length + code.length);
  bytes.set(head);
  bytes.set(code, head.length);
  return bytes;
}

/** A function that throws, a RangeError in V8, unless the stack has 96 KiB left. */
export function stackProbe() {
  const { probe } = new WebAssembly.Instance(new WebAssembly.Module(probeModule())).exports;
  return () => probe(frames);
}
