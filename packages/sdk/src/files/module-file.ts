// The file of a module: its tensors by name, which are set from any safetensors file.

import type { BindingArgument, TypedTensor } from "../binding.js";
import { brief } from "../values/describe.js";
import { type ArgumentEntries, type Arguments, flags } from "./arguments.js";
import { type Calls, failure } from "./calls.js";
import { applyAll } from "./changes.js";
import { arrayOf, type ElementName, elementNameOf } from "./element-types.js";
import { elementChange } from "./given-tensors.js";
import { objectOf } from "./json.js";
import { layoutOf, type TensorProperties } from "./module-layout.js";
import { describeArgument, tensorOf } from "./plain-data.js";
import { type SavedFile, type SavedTensor, writeFile } from "./safetensors.js";

/** A tensor of a module. */
interface ModuleTensor extends TensorProperties {
  readonly handle: bigint;
  readonly identity: number;
}

/** The types of floating point, which can be converted to each other. */
const floating: readonly string[] = ["float", "double", "half", "bfloat16"];

function tensorsOf(calls: Calls, module: bigint): readonly ModuleTensor[] {
  const { parameters, buffers } = layoutOf(calls, module);
  const [handles, identities] = [calls.tensorsOf(module), calls.identitiesOf(module).tensors];
  const all = [...parameters, ...buffers];
  return all.map((tensor, i) => ({ ...tensor, handle: handles[i] as bigint, identity: identities[i] as number }));
}

/** The bytes of the file of a module. A tensor that it has twice is there under its first name. */
export function moduleBytes(calls: Calls, module: bigint, place: string): Uint8Array {
  const first = new Map<number, ModuleTensor>();
  for (const tensor of tensorsOf(calls, module)) if (!first.has(tensor.identity)) first.set(tensor.identity, tensor);
  const arrays = Array.from(first.values(), ({ name, handle }) =>
    tensorOf(name, calls.call("data", handle) as TypedTensor),
  );
  return writeFile(arrays, objectOf({}), place);
}

/** The tensors of a file by the names of a module. */
class SavedNames {
  readonly all: ReadonlyMap<string, SavedTensor>;
  readonly #only: readonly string[];

  constructor(options: ArgumentEntries, own: readonly ModuleTensor[], file: SavedFile) {
    const renamed = renamesOf(options.get("rename"));
    this.#only = onlyOf(options.get("only"));
    for (const name of renamed.keys()) {
      if (!file.tensors.has(name)) throw failure("ERR_ARGUMENT", `rename: the file has no \`${brief(name)}\``);
    }
    const lacking = this.#only.find((only) => !own.some(({ name }) => begins(name, only)));
    if (lacking !== undefined) {
      const message = `only: the module has neither a tensor nor a module \`${brief(lacking)}\``;
      throw failure("ERR_ARGUMENT", message);
    }
    const [all, origins] = [new Map<string, SavedTensor>(), new Map<string, string>()];
    for (const [from, tensor] of file.tensors) {
      const to = renamed.has(from) ? renamed.get(from) : from;
      if (to === undefined || to === null) continue;
      const other = origins.get(to);
      if (other !== undefined) {
        const [a, b, c] = [other, from, to].map(brief);
        throw failure("ERR_ARGUMENT", `rename: \`${a}\` and \`${b}\` of the file are both \`${c}\``);
      }
      origins.set(to, from);
      all.set(to, tensor);
    }
    this.all = all;
  }

  /** Whether a tensor of the module is loaded. */
  selects(name: string): boolean {
    return this.#only.length === 0 || this.#only.some((only) => begins(name, only));
  }
}

const begins = (name: string, beginning: string) => name === beginning || name.startsWith(`${beginning}.`);

function renamesOf(given: BindingArgument): ReadonlyMap<string, string | null> {
  const refuse = (expected: string, value: BindingArgument) =>
    failure("ERR_OPTION_TYPE", `rename: expected ${expected}, given ${describeArgument(value)}`);
  if (given === undefined) return new Map();
  if (typeof given !== "object" || given === null || Array.isArray(given) || ArrayBuffer.isView(given)) {
    throw refuse("a dictionary of names in the module by names in the file", given);
  }
  const entries = Object.entries(given as { readonly [name: string]: BindingArgument });
  return new Map(
    entries.map(([from, to]) => {
      if (to === null || typeof to === "string") return [from, to];
      throw refuse("names, or null for tensors to leave out", to);
    }),
  );
}

function onlyOf(given: BindingArgument): readonly string[] {
  if (given === undefined) return [];
  if (typeof given === "string") return [given];
  const refuse = (expected: string, value: BindingArgument) =>
    failure("ERR_OPTION_TYPE", `only: expected ${expected}, given ${describeArgument(value)}`);
  if (!Array.isArray(given) || given.length === 0) throw refuse("a name or a list of names", given);
  return given.map((name: BindingArgument) => {
    if (typeof name === "string") return name;
    throw refuse("names", name);
  });
}

/** A tensor of the module with the one of the file. */
interface Matched {
  readonly own: ModuleTensor;
  readonly saved: SavedTensor;
  readonly dtype: ElementName;
}

interface Mismatched {
  readonly own: ModuleTensor;
  readonly saved: SavedTensor;
  readonly isOfType: boolean;
}

/** Sets the tensors of a module from a file, all or none. With `strict: false` those that fit, and returns a report of the others. */
export function loadModule(calls: Calls, module: bigint, args: Arguments, open: () => SavedFile): unknown {
  const given = args.options();
  args.finish();
  const [selection, others] = divided(given);
  const { cast, strict, verify } = flags("load", others, { cast: false, strict: true, verify: true });
  renamesOf(selection.get("rename"));
  onlyOf(selection.get("only"));
  const file = open();
  if (verify) file.verify();
  const all = tensorsOf(calls, module);
  const names = new SavedNames(selection, all, file);
  const own = savedTensors(
    all.filter(({ name }) => names.selects(name)),
    names,
  );
  const [matched, missing, mismatched]: [Matched[], string[], Mismatched[]] = [[], [], []];
  for (const tensor of own) {
    const saved = names.all.get(tensor.name);
    if (!saved) {
      if (!mayBeMissing(tensor)) missing.push(tensor.name);
      continue;
    }
    const dtype = elementNameOf(saved.word);
    const isCast = cast && floating.includes(dtype ?? "") && floating.includes(tensor.dtype);
    const fits = dtype !== undefined && (dtype === tensor.dtype || isCast);
    const hasShape = isSame(saved.shape, tensor.shape);
    if (fits && hasShape) matched.push({ own: tensor, saved, dtype });
    else mismatched.push({ own: tensor, saved, isOfType: !fits && hasShape });
  }
  const known = new Set(own.map(({ name }) => name));
  const unexpected = [...names.all.keys()].filter((name) => names.selects(name) && !known.has(name));
  if (strict) requireAll(brief(file.place), unexpected, missing, mismatched);
  checkTies(matched, file.place);
  applyAll(
    matched.map(({ own, saved, dtype }) =>
      elementChange(calls, own.handle, () => ({ ...arrayOf(dtype, saved.bytes, saved.shape) })),
    ),
  );
  return strict ? undefined : { missing, unexpected, mismatched: mismatched.map(reported) };
}

const selecting: readonly string[] = ["rename", "only"];

function divided(given: ArgumentEntries): readonly [ArgumentEntries, ArgumentEntries] {
  const entries = [...given];
  return [
    new Map(entries.filter(([name]) => selecting.includes(name))),
    new Map(entries.filter(([name]) => !selecting.includes(name))),
  ];
}

/** The tensors under names that the file has. It may have a tensor of several names under any of them. */
function savedTensors(tensors: readonly ModuleTensor[], { all }: SavedNames): readonly ModuleTensor[] {
  const saved = new Set(tensors.filter(({ name }) => all.has(name)).map(({ identity }) => identity));
  const seen = new Set<number>();
  return tensors.filter(({ name, identity }) => {
    const isFirst = !seen.has(identity);
    seen.add(identity);
    // Without any of its names the first one is missing.
    return all.has(name) || (!saved.has(identity) && isFirst);
  });
}

/** Counts of batches, which files of older versions lack. */
const mayBeMissing = ({ kind, name }: ModuleTensor): boolean =>
  ["batchnorm", "instancenorm"].includes(kind) && /(^|\.)num_batches_tracked$/.test(name);

const isSame = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((x, i) => x === b[i]);

const text = (dtype: string, shape: readonly number[]) => `${dtype} [${shape.join(", ")}]`;

/** Throws unless a file and a module have the same tensors. */
function requireAll(place: string, unexpected: string[], missing: string[], [first]: readonly Mismatched[]): void {
  if (unexpected[0] !== undefined) {
    throw failure("ERR_FORMAT", `${place} holds \`${brief(unexpected[0])}\`, which the module does not have`);
  }
  if (missing[0] !== undefined) throw failure("ERR_FORMAT", `${place} lacks \`${missing[0]}\``);
  if (first === undefined) return;
  const { own, saved, isOfType } = first;
  const hint = isOfType ? "; { cast: true } converts types of floating point" : "";
  const given = text(elementNameOf(saved.word) ?? saved.word, saved.shape);
  const message = `\`${own.name}\`: expected ${text(own.dtype, own.shape)}, given ${given} in ${place}${hint}`;
  throw failure(isOfType ? "ERR_DTYPE" : "ERR_SHAPE", message);
}

const reported = ({ own, saved }: Mismatched) => ({
  name: own.name,
  expected: { dtype: own.dtype, shape: [...own.shape] },
  given: { dtype: elementNameOf(saved.word) ?? saved.word, shape: [...saved.shape] },
});

/** Throws if a file has two values for a tensor of two names: one of them would be lost. */
function checkTies(matched: readonly Matched[], place: string): void {
  const first = new Map<number, Matched>();
  for (const one of matched) {
    const other = first.get(one.own.identity);
    first.set(one.own.identity, other ?? one);
    if (!other || other.saved.bytes.every((byte, i) => byte === one.saved.bytes[i])) continue;
    const names = `\`${other.own.name}\` and \`${one.own.name}\` are one tensor of the module`;
    throw failure("ERR_FORMAT", `${names}: expected equal elements, given others in ${brief(place)}`);
  }
}
