// The header of a shared library on Linux. The loader of the system crashes the process on a file that ends too early, and says
// "No such file" of one for another processor.

const { closeSync, fstatSync, openSync, readSync } = require("node:fs");

/** In bytes, of a 64-bit file. */
const headerSize = 64;

/** The number of a processor in the header, and its name in `process.arch`. */
const machines = { 3: "ia32", 40: "arm", 62: "x64", 183: "arm64", 243: "riscv64", 258: "loong64" };

/** The reason why the file is not a complete library for this process, as a predicate; undefined if it is, or not on Linux. */
function elfFault(path) {
  if (process.platform !== "linux") return undefined;
  const header = Buffer.alloc(headerSize);
  const descriptor = openSync(path, "r");
  let size;
  try {
    readSync(descriptor, header);
    size = fstatSync(descriptor).size;
  } finally {
    closeSync(descriptor);
  }
  if (header.toString("latin1", 0, 4) !== "\x7fELF") return "is not a shared library";
  const machine = header.readUInt16LE(18);
  const name = machines[machine] ?? `processor ${machine}`;
  if (name !== process.arch) return `is for ${name}, and this Node is for ${process.arch}`;
  if (header[4] !== 2) return `is for 32 bits, and this Node is for ${process.arch}`;
  // The table of sections is the end of a file, unless tools have moved it.
  const end = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60);
  return end > size ? `is cut off after ${size} bytes` : undefined;
}

module.exports = { elfFault };
