// Numbers as names of the imported functions, in the module and in its JavaScript. The names of wasm-bindgen end with hashes, which
// do not compress.

import { leb128, Reader } from "./wasm-binary.mjs";

/** The binary format's number of the section with imports, and of an imported function. */
const [importSection, functionKind] = [2, 0];

/** The module and its JavaScript, an object literal of which has the functions by name. */
export function withNumberedImports({ wasm, script }) {
  const reader = new Reader(wasm);
  for (reader.at = 8; reader.byte() !== importSection; ) reader.skip(reader.number());
  const start = reader.at - 1;
  reader.number();
  const imports = reader.list(() => {
    const [from, name, kind] = [reader.text(), reader.text(), reader.byte()];
    if (kind !== functionKind) throw new Error(`an import of another kind than a function: ${name}`);
    return { from, name, type: reader.number() };
  });
  const section = [...leb128(imports.length)];
  for (const [number, { from, name, type }] of imports.entries()) {
    section.push(...text(from), ...text(String(number)), functionKind, ...leb128(type));
    const around = script.split(` ${name}: function`);
    if (around.length !== 2) throw new Error(`the JavaScript of the module has no single function ${name}`);
    script = around.join(` ${number}: function`);
  }
  const renamed = Buffer.from([importSection, ...leb128(section.length), ...section]);
  return { wasm: Buffer.concat([wasm.subarray(0, start), renamed, wasm.subarray(reader.at)]), script };
}

function text(ascii) {
  return [...leb128(ascii.length), ...Buffer.from(ascii)];
}
