// The part of a run that is loaded, and what the report says of the rest.

import { brief } from "../values/describe.js";
import type { ArgumentEntries } from "./arguments.js";
import { type Calls, failure, kindOf, misfit, within } from "./calls.js";
import type { Change } from "./changes.js";
import { dictionary, entry, list, refuse } from "./entries.js";
import { looseObjects } from "./given-objects.js";
import { elementChange } from "./given-tensors.js";
import { entriesIn, type Json, type JsonObject } from "./json.js";
import { checkTies, LoadReport, type NamedTensor, namedTensors, savedTensors } from "./load-report.js";
import { layoutOf, looseLayoutOf, type TensorProperties } from "./module-layout.js";
import { aliasesOfRows, arraysOfRows } from "./module-rows.js";
import { joined } from "./plain-data.js";
import type { SavedFile } from "./safetensors.js";
import type { SavedArrays } from "./saved-arrays.js";
import { objectOf, type Selection } from "./selection.js";

/** A tensor of a given object. */
interface LoadedTensor {
  readonly identity: number;
  readonly name: string;
}

/** The objects that are given. */
export interface PartTargets {
  readonly modules: ReadonlyMap<string, bigint>;
  readonly given: ArgumentEntries;
}

/** A part of a run, and the names that its tensors have in given objects. */
export class RunPart {
  readonly selection: Selection;
  readonly isStrict: boolean;
  /** By names in the file. */
  readonly loaded = new Map<string, LoadedTensor>();
  /** The objects that were given. */
  readonly given = new Set<string>();
  /** The report, unless the load is strict. */
  report: LoadReport["result"] | undefined;
  readonly #objects: readonly string[];
  readonly #sources: RunSources;

  constructor(selection: Selection, isStrict: boolean, objects: JsonObject) {
    this.selection = selection;
    this.isStrict = isStrict;
    this.#objects = [...objects.keys()];
    this.#sources = sourcesOf(objects);
  }

  /** Finds the tensors of the part in given objects. Returns what is to be changed. */
  prepare(calls: Calls, targets: PartTargets, arrays: SavedArrays, file: SavedFile): readonly Change[] {
    const { all, parameters } = this.#tensorsOf(calls, targets);
    const isWhole = this.isStrict && !this.selection.renames;
    const whole = this.#objects.filter((name) => isWhole || this.given.has(name) || targets.given.has(name));
    const known = all.map(({ name }) => name);
    const isGiven = (object: string) => this.given.has(object);
    const names = this.selection.namesOfRun(known, whole, this.#sources.names, isGiven, file);
    const selected = all.filter(({ name }) => names.selects(name));
    const report = new LoadReport(savedTensors(selected, names), names, false);
    const place = brief(file.place);
    if (this.isStrict) report.requireAll(place, "the given objects do not have");
    else this.report = report.result;
    checkTies(report.matched, place);
    return report.matched.flatMap(({ own, from }) => {
      const { handle, identity, name, requiresGradient } = own;
      this.loaded.set(from, { identity, name });
      const elements = elementChange(calls, handle, () => ({ ...arrays.read(from) }));
      const isFrozen = this.#sources.frozen.has(from);
      if (!parameters.has(name) || requiresGradient !== isFrozen) return [elements];
      const set = (flag: boolean) => () => void calls.call("gradflag", handle, flag);
      return [elements, { apply: set(!isFrozen), undo: set(isFrozen) }];
    });
  }

  /** The tensors of given objects, and the names of parameters of modules. */
  #tensorsOf(calls: Calls, { modules, given }: PartTargets) {
    const all: NamedTensor[] = [];
    const parameters = new Set<string>();
    const add = (object: string, id: bigint, layout: readonly TensorProperties[], handles: readonly bigint[]) => {
      for (const tensor of namedTensors(calls, id, layout, handles, (name) => joined(object, name))) all.push(tensor);
      this.given.add(object);
    };
    for (const [name, id] of modules) {
      const layout = layoutOf(calls, id);
      for (const parameter of layout.parameters) parameters.add(joined(name, parameter.name));
      add(name, id, [...layout.parameters, ...layout.buffers], calls.tensorsOf(id));
    }
    for (const [name, id] of looseObjects(given)) {
      const kind = kindOf(id) as "tensor" | "vector" | "dictionary";
      within(name, () => add(name, id, looseLayoutOf(calls, id, kind), kind === "tensor" ? [id] : calls.tensorsOf(id)));
    }
    return { all, parameters };
  }

  /** Whether an object that is not given is made anew. Plain data have no tensors of other names. */
  makes(object: string, kind: string): boolean {
    return this.isStrict && this.selects(object) && (kind === "data" || !this.selection.renames);
  }

  /** Whether an object is loaded as a whole. */
  selects(object: string): boolean {
    return this.selection.selectsObject(object);
  }

  /** The name in the file of a parameter of an object, under which its elements are. */
  sourceOf(object: string, name: string): string {
    const own = joined(object, name);
    return this.#sources.aliases.get(own) ?? own;
  }

  /** The state of an optimizer with the names of its parameters in given objects. All have to be loaded with it. */
  renamed(state: JsonObject): JsonObject {
    const rows = list(state, "parms").map((row): Json => {
      const columns = dictionary(row, "parms");
      const [object, name] = ["object", "name"].map((column) => columns.get(column));
      if (typeof object !== "string" || typeof name !== "string") throw misfit("the parameters of an optimizer");
      const source = this.sourceOf(object, name);
      const loaded = this.loaded.get(source);
      // Without it, its object is made anew, or is not there, which is an error of the optimizer.
      if (!loaded && !this.given.has(objectOf(source))) return columns;
      if (!loaded) {
        const instead = "with strict: false it takes the state of those that are";
        throw failure("ERR_PARAMETER", `its parameter \`${brief(source)}\` is not loaded: ${instead}`);
      }
      const own = objectOf(loaded.name);
      return new Map([...columns, ["object", own], ["name", loaded.name.slice(own.length + 1)]]);
    });
    return new Map([...state, ["parms", rows]]);
  }
}

/** Tensors of the objects of a file. */
interface RunSources {
  readonly names: readonly string[];
  /** Parameters that are frozen. */
  readonly frozen: ReadonlySet<string>;
  /** By another name of a tensor the one that it is saved under. */
  readonly aliases: ReadonlyMap<string, string>;
}

function sourcesOf(objects: JsonObject): RunSources {
  const names: string[] = [];
  const [frozen, aliases] = [new Set<string>(), new Map<string, string>()];
  const module = (object: string, rows: Json, entries: JsonObject) => {
    for (const [name] of arraysOfRows(rows)) names.push(joined(object, name));
    for (const name of list(entries, "frozen")) {
      frozen.add(joined(object, typeof name === "string" ? name : refuse(misfit("names of frozen parameters"))));
    }
    for (const [name, place] of aliasesOfRows(rows)) aliases.set(joined(object, name), joined(object, place));
  };
  for (const [name, object] of objects) {
    const entries = entriesIn(object) ?? refuse(misfit("the kind of an object"));
    switch (entries.get("kind")) {
      case "module":
        module(name, entry(entries, "state"), entries);
        break;
      case "model": {
        // The module of another name is an object of its own.
        const rows = entry(entries, "module");
        if (typeof rows !== "string") module(name, rows, entries);
        break;
      }
      case "tensor":
      case "vector":
      case "dictionary":
        for (const key of list(entries, "keys")) {
          names.push(joined(name, typeof key === "string" ? key : refuse(misfit("keys as texts"))));
        }
    }
  }
  return { names, frozen, aliases };
}
