// The tensors of a file under the names of a module or of the objects of a run: the options `rename` and `only` of `load`.

import type { BindingArgument } from "../binding.js";
import { brief } from "../values/describe.js";
import type { ArgumentEntries } from "./arguments.js";
import { failure } from "./calls.js";
import { describeArgument } from "./described.js";
import { compared, type SavedFile, type SavedTensor } from "./safetensors.js";

/** The names of the options, for the error of one that is unknown. */
export const selecting: readonly string[] = ["only", "rename"];

/** A tensor of a file with its name there. */
export interface NamedSource {
  readonly from: string;
  readonly tensor: SavedTensor;
}

/** Which tensors are loaded, and under which names. */
export class Selection {
  /** The names in given objects by names in the file; null for a tensor that is left out. */
  readonly #renamed: ReadonlyMap<string, string | null>;
  /** Whether a function has given the names. It was asked for all of the file. */
  readonly #isFunction: boolean;
  /** Names in given objects, or beginnings of them up to a dot; empty for all. */
  readonly #only: readonly string[];

  private constructor(options: ArgumentEntries) {
    const rename = options.get("rename");
    this.#isFunction = Array.isArray(rename);
    this.#renamed = renamesOf(rename);
    this.#only = onlyOf(options.get("only"));
  }

  /** Takes the two options out of all. */
  static take(options: ArgumentEntries): readonly [Selection, ArgumentEntries] {
    const others = [...options].filter(([name]) => !selecting.includes(name));
    return [new Selection(options), new Map(others)];
  }

  /** Whether all is loaded under its own name. */
  get isAll(): boolean {
    return this.isWholeRun && !this.renames;
  }

  /** Whether no part of a run is left out by `only`. */
  get isWholeRun(): boolean {
    return this.#only.length === 0;
  }

  /** Whether names are changed. */
  get renames(): boolean {
    return this.#isFunction || this.#renamed.size > 0;
  }

  /** Whether an object of a run is loaded as a whole. */
  selectsObject(name: string): boolean {
    return this.isWholeRun || this.#only.includes(name);
  }

  /** The tensors of a file by the names of a module. Throws for a name that neither side has, and for two tensors of one name. */
  names(own: readonly string[], file: SavedFile): SavedNames {
    this.#requireRenamed(file);
    const lacking = this.#only.find((only) => !own.some((name) => begins(name, only)));
    if (lacking !== undefined) {
      throw refused(`only: the module has neither a tensor nor a module \`${brief(lacking)}\``);
    }
    const byName = this.#byName([...file.tensors.keys()], () => true);
    return new SavedNames(file, byName, this.#only, this.renames);
  }

  /** The tensors of a run by their names in given objects. `sources` has their names in the file, `objects` names that `only` can have. */
  namesOfRun(
    own: readonly string[],
    objects: readonly string[],
    sources: readonly string[],
    isGiven: (object: string) => boolean,
    file: SavedFile,
  ): SavedNames {
    this.#requireRenamed(file);
    const known = new Set(sources);
    const other = [...this.#renamed.keys()].find((name) => !this.#isFunction && !known.has(name));
    if (other !== undefined) {
      const instead = "is plain data, or state of an optimizer, which has the names of its parameters";
      throw refused(`rename: \`${brief(other)}\` ${instead}`);
    }
    const isKnown = (only: string) => objects.includes(only) || own.some((name) => begins(name, only));
    const lacking = this.#only.find((only) => !isKnown(only));
    if (lacking !== undefined) {
      throw refused(`only: neither an object of the file nor a part of the given ones is \`${brief(lacking)}\``);
    }
    const byName = this.#byName(sources, (from, to) => {
      if (isGiven(objectOf(to))) return true;
      if (!isGiven(objectOf(from))) return false;
      throw refused(`rename: \`${brief(from)}\` becomes \`${brief(to)}\`, which is in no given object`);
    });
    return new SavedNames(file, byName, this.#only, true);
  }

  #requireRenamed(file: SavedFile): void {
    const absent = [...this.#renamed.keys()].find((name) => !file.tensors.has(name));
    if (absent !== undefined) throw refused(`rename: the file has no \`${brief(absent)}\``);
  }

  /** Names in the file by the names in given objects. */
  #byName(sources: readonly string[], isWanted: (from: string, to: string) => boolean): ReadonlyMap<string, string> {
    const byName = new Map<string, string>();
    for (const from of sources) {
      const to = this.#renamed.has(from) ? this.#renamed.get(from) : from;
      if (to === undefined || to === null || !isWanted(from, to)) continue;
      const other = byName.get(to);
      if (other !== undefined) {
        const [a, b, c] = [other, from, to].map(brief);
        throw refused(`rename: \`${a}\` and \`${b}\` of the file are both \`${c}\``);
      }
      byName.set(to, from);
    }
    return byName;
  }
}

/** The tensors of a file by the names of given objects. */
export class SavedNames {
  readonly #file: SavedFile;
  readonly #byName: ReadonlyMap<string, string>;
  readonly #only: readonly string[];
  /** Whether tensors are in the order of their names, and not in the one of the file. */
  readonly #isSorted: boolean;

  constructor(file: SavedFile, byName: ReadonlyMap<string, string>, only: readonly string[], isSorted: boolean) {
    this.#file = file;
    this.#byName = byName;
    this.#only = only;
    this.#isSorted = isSorted;
  }

  /** Whether a tensor of a given object is loaded. */
  selects(name: string): boolean {
    return this.#only.length === 0 || this.#only.some((only) => begins(name, only));
  }

  /** The tensor for a name in a given object. */
  find(name: string): NamedSource | undefined {
    const from = this.#byName.get(name);
    const tensor = from === undefined ? undefined : this.#file.tensors.get(from);
    return tensor && { from: from as string, tensor };
  }

  /** The names in the file of all tensors that are selected and that given objects do not have. */
  unexpected(known: ReadonlySet<string>): readonly string[] {
    const names = [...this.#byName].filter(([name, from]) => this.selects(name) && this.#file.tensors.has(from));
    if (this.#isSorted) names.sort(([a], [b]) => compared(a, b));
    return names.filter(([name]) => !known.has(name)).map(([, from]) => from);
  }
}

/** The name of the object in the name of a tensor of a run. */
export const objectOf = (name: string): string => name.split(".", 1)[0] as string;

const begins = (name: string, beginning: string) => name === beginning || name.startsWith(`${beginning}.`);

const refused = (message: string) => failure("ERR_ARGUMENT", message);

function renamesOf(given: BindingArgument): ReadonlyMap<string, string | null> {
  const refuse = (expected: string, value: BindingArgument) =>
    failure("ERR_OPTION_TYPE", `rename: expected ${expected}, given ${describeArgument(value)}`);
  if (given === undefined) return new Map();
  // The results of a function for all tensors of a run.
  if (Array.isArray(given)) return new Map(given as unknown as readonly (readonly [string, string | null])[]);
  if (typeof given !== "object" || given === null || ArrayBuffer.isView(given)) {
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
