// Bytes of a module by family: the code of each part of the crates, and the other sections. It needs the names of functions.

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
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const text = () => {
    const length = number();
    at += length;
    return wasm.subarray(at - length, at).toString();
  };
  const bodies = [];
  const names = new Map();
  const sizes = new Map();
  while (at < wasm.length) {
    const id = wasm[at++];
    const size = number();
    const end = at + size;
    sizes.set(id, size);
    if (id === 10) {
      for (let count = number(); count > 0; count--) {
        bodies.push(number());
        at += bodies.at(-1);
      }
    } else if (id === 0 && text() === "name") {
      while (at < end) {
        const kind = wasm[at++];
        const next = number() + at;
        if (kind === 1) for (let count = number(); count > 0; count--) names.set(number(), text());
        at = next;
      }
    }
    at = end;
  }
  return { bodies, names, sizes };
}
