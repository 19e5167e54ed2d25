// Bytes of a module by family: the code of each part of the crates, and the other sections. It needs the names of functions.

import { Reader } from "./wasm-binary.mjs";

/** The binary format's number of a custom section, of the section with code, and of the names of functions in the names. */
const [customSection, codeSection, functionNames] = [0, 10, 1];

/** Crates whose modules are families of their own. */
const divided = new Map([
  ["stepwell_session", ["commands", "nn"]],
  ["stepwell_engine_rust", []],
  ["stepwell_optim", []],
]);
/** The sections that are families, by their numbers in the binary format. */
const sections = new Map([
  [9, "table of functions"],
  [11, "data"],
]);

/** The bytes of each family in alphabetical order. Closures are one family, since their names tell no module. */
export function familiesOf(wasm) {
  const { bodies, names, sizes } = read(wasm);
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).filter(({ kind }) => kind === "function");
  const bytes = new Map();
  const add = (family, count) => bytes.set(family, (bytes.get(family) ?? 0) + count);
  for (const [index, length] of bodies.entries()) add(familyOf(names.get(imported.length + index) ?? ""), length);
  for (const [id, name] of sections) add(name, sizes.get(id) ?? 0);
  return Object.fromEntries([...bytes].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The family of a function by its name, such as `stepwell_session::nn::loss::…` or `<stepwell_optim::sweep::… as …>::…`. */
function familyOf(name) {
  const [, crate, first, second] = /(stepwell_\w+)::(\w+)(?:::(\w+))?/.exec(name) ?? [];
  if (crate === undefined || name.includes("drop_in_place<")) {
    if (name.includes("drop_in_place<")) return "drops";
    if (/\blibm/.test(name)) return "libm";
    if (name.includes("FnOnce::call_once")) return "closures";
    return /^\W*(core|alloc|std|compiler_builtins|dlmalloc)\b/.test(name) ? "standard library" : "others";
  }
  const parts = divided.get(crate);
  const short = crate.replace("stepwell_", "").replaceAll("_", "-");
  if (parts === undefined) return short;
  return [short, first, ...(parts.includes(first) && second !== undefined ? [second] : [])].join("/");
}

/** The length of each function's code, the names of functions, and the length of each section. */
function read(wasm) {
  const reader = new Reader(wasm);
  const sizes = new Map();
  let bodies = [];
  let names = [];
  for (reader.at = 8; reader.at < wasm.length; ) {
    const id = reader.byte();
    const size = reader.number();
    const end = reader.at + size;
    sizes.set(id, size);
    if (id === codeSection) bodies = reader.list(() => reader.body().length);
    if (id === customSection && reader.text() === "name") {
      while (reader.at < end) {
        const kind = reader.byte();
        const next = reader.number() + reader.at;
        if (kind === functionNames) names = reader.list(() => [reader.number(), reader.text()]);
        reader.at = next;
      }
    }
    reader.at = end;
  }
  return { bodies, names: new Map(names), sizes };
}
