// The objects of the file of a run on their way into the session: made and checked first, changed later. All or nothing.

import type { BindingArgument, BindingResult, TypedTensor } from "../binding.js";
import { type GeneratorState, generatorNumbers } from "../values/generator.js";
import { type ArgumentEntries, type Arguments, flags } from "./arguments.js";
import { type Calls, failure, kindOf, misfit, within } from "./calls.js";
import { applyAll, type Change } from "./changes.js";
import { dictionary, entry, list, refuse } from "./entries.js";
import { type NamedArrays, requireAll, tensorChanges } from "./given-tensors.js";
import { entriesIn, type Json, type JsonObject, withNumbers } from "./json.js";
import { checkLoss, loaderChange, loadersOf, lossOf, setLoader } from "./loaded-model.js";
import { LoadedOptimizers } from "./loaded-optimizer.js";
import { layoutOf, looseLayoutOf, pathsOf, type TensorProperties } from "./module-layout.js";
import { describeArgument, joined, referenced } from "./plain-data.js";
import type { SavedFile } from "./safetensors.js";
import { SavedArrays } from "./saved-arrays.js";

/** In this order objects are loaded, since one can refer to another of a kind before its own. */
const kinds = ["data", "tensor", "vector", "dictionary", "loss", "module", "optimizer", "model"] as const;
type Kind = (typeof kinds)[number];

/** New objects by name, as ids, and plain data. */
export type Loaded = readonly (readonly [name: string, value: { readonly id: bigint } | { readonly data: unknown }])[];

/** The arguments of a load after the file. */
export interface LoadRequest {
  /** Objects to be set by their names. */
  readonly given: ArgumentEntries;
  /** Compare the file with its checksum. */
  readonly verify: boolean;
  /** Set the generator of random numbers. */
  readonly generator: boolean;
}

/** The request of the arguments after the file. */
export function loadRequest(calls: Calls, command: string, args: Arguments): LoadRequest {
  const given = args.options();
  const options = args.options();
  args.finish();
  const part = ["only", "rename"].find((name) => options.has(name)) ?? (options.get("strict") === false && "strict");
  if (part) {
    const instead = "it needs another engine, native or rust; load(module, path) takes it on each";
    throw failure("ERR_UNSUPPORTED", `${part} of a run on WebAssembly: ${instead}`);
  }
  const { verify, generator } = flags(command, withoutDefault(options), {
    verify: true,
    strict: true,
    generator: true,
  });
  const settings = { verify, generator };
  if (settings.generator) calls.requireGenerator();
  return { given, ...settings };
}

/** Options without a null for the generator, which is its default. */
const withoutDefault = (options: ArgumentEntries): ArgumentEntries =>
  new Map([...options].filter(([name, value]) => name !== "generator" || value !== null));

/** Loads the objects of a file. Returns what was not given, by name. */
export function loadRun(calls: Calls, file: SavedFile, { given, verify, generator }: LoadRequest): Loaded {
  if (verify && given.size > 0) file.verify();
  const run = new LoadedRun(calls, file, given);
  try {
    run.prepare(generator);
  } catch (error) {
    // The error of a damaged file is the one of its checksum.
    if (verify) file.verify();
    throw error;
  }
  if (verify && given.size === 0) file.verify();
  applyAll(run.changes);
  calls.keep(run.made.flatMap(([, value]) => ("id" in value ? [value.id] : [])));
  return run.made;
}

/** The description of a run. */
function contentOf(file: SavedFile): JsonObject {
  const ofModule = () => failure("ERR_FORMAT", `${file.place} holds tensors alone: load(module, path) reads them`);
  if (file.description === undefined) throw ofModule();
  let content: JsonObject | undefined;
  try {
    content = entriesIn(withNumbers(file.description.content));
  } catch (error) {
    throw failure("ERR_FORMAT", (error as Error).message);
  }
  if (content === undefined) throw misfit("a dictionary");
  if (!content.has("objects")) throw ofModule();
  return content;
}

class LoadedRun {
  readonly made: (readonly [name: string, value: { readonly id: bigint } | { readonly data: unknown }])[] = [];
  readonly changes: Change[] = [];
  readonly #calls: Calls;
  readonly #file: SavedFile;
  readonly #arrays: SavedArrays;
  readonly #given: ArgumentEntries;
  /** The modules by name: given ones, and those that were made. */
  readonly #modules = new Map<string, bigint>();
  /** The new models whose modules are made already. */
  readonly #modelsWithModule = new Set<string>();
  readonly #optimizers: LoadedOptimizers;

  constructor(calls: Calls, file: SavedFile, given: ArgumentEntries) {
    this.#calls = calls;
    this.#file = file;
    this.#arrays = new SavedArrays(file);
    this.#given = given;
    this.#optimizers = new LoadedOptimizers(calls, (value) => this.#arrays.argument(value));
  }

  /** Makes the objects of the file, and checks given ones. */
  prepare(setsGenerator: boolean): void {
    const content = contentOf(this.#file);
    const generator = content.get("generator");
    if (generator !== undefined) this.#generator(generator, setsGenerator);
    const objects = entriesIn(content.get("objects"));
    if (!objects) throw misfit("a dictionary of objects");
    for (const name of this.#given.keys()) {
      if (objects.has(name)) continue;
      const known = [...objects.keys()].join(", ");
      throw failure("ERR_ARGUMENT", `the file has no object \`${name}\`, only ${known}`);
    }
    this.#findTargets(objects);
    const rank = (object: Json) => kinds.indexOf(entriesIn(object)?.get("kind") as Kind);
    const sorted = [...objects].sort(([, a], [, b]) => rank(a) - rank(b));
    for (const [name, object] of sorted) within(name, () => this.#makeModuleOfModel(name, object));
    for (const [name, object] of sorted) within(name, () => this.#prepare(name, object, this.#given.get(name)));
  }

  /** Sets the generator first: a call that has it refuses that, and nothing has changed then. */
  #generator(state: Json, setsGenerator: boolean): void {
    const entries = entriesIn(state) ?? refuse(misfit("the key and the position of a generator"));
    const [key, position] = ["key", "position"].map((name) => entries.get(name));
    let numbers: Float64Array;
    try {
      numbers = generatorNumbers("", { key: String(key).toLowerCase(), position } as GeneratorState);
    } catch {
      throw misfit("the key and the position of a generator");
    }
    if (!setsGenerator) return;
    const { data: before } = this.#calls.call("generator") as TypedTensor<"double">;
    this.#change(
      () => this.#calls.call("generator", numbers),
      () => this.#calls.call("generator", before),
    );
  }

  #change(apply: () => void, undo: () => void): void {
    this.changes.push({ apply, undo });
  }

  /** Finds the modules and optimizers that are given, also as parts of a model. */
  #findTargets(objects: JsonObject): void {
    for (const [name, target] of this.#given) {
      const entries = entriesIn(objects.get(name));
      if (typeof target !== "bigint" || !entries) continue;
      const kind = kindOf(target);
      if (!["module", "optimizer", "model"].includes(kind ?? "")) continue;
      within(name, () => this.#calls.call("class", target));
      if (kind === "module" && !this.#modules.has(name)) this.#modules.set(name, target);
      if (kind === "optimizer") this.#optimizers.give(name, target);
      if (kind !== "model") continue;
      const part = (key: string) => {
        const owner = entries.get(key);
        return typeof owner === "string" ? owner : name;
      };
      if (!this.#modules.has(part("module"))) this.#modules.set(part("module"), this.#calls.make("module", target));
      this.#optimizers.give(part("optimizer"), this.#calls.make("opt", target));
    }
  }

  /** Makes an object, or checks it against its target; what it changes is done later. */
  #prepare(name: string, object: Json, target: BindingArgument): void {
    const entries = entriesIn(object);
    const given = entries?.get("kind");
    if (!entries || typeof given !== "string") throw misfit("the kind of an object");
    const kind = kinds.find((known) => known === given);
    if (kind === undefined) throw failure("ERR_FORMAT", `unknown kind of object \`${given}\``);
    const id = this.#targetOf(kind, target);
    switch (kind) {
      case "data":
        this.made.push([name, { data: this.#arrays.data(entries.get("value") ?? null) }]);
        return;
      case "loss": {
        const loss = lossOf(this.#calls, this.#arrays, entry(entries, "loss"));
        if (id === undefined) this.#make(name, loss);
        else checkLoss(this.#calls, this.#calls.call("outline", id), loss);
        return;
      }
      case "module": {
        const module = this.#module(name, entry(entries, "state"), entry(entries, "frozen"));
        if (id === undefined) this.#make(name, module);
        return;
      }
      case "optimizer": {
        const optimizer = this.#optimizer(name, entries);
        if (id === undefined) this.#make(name, optimizer);
        return;
      }
      case "model":
        this.#model(name, entries, id);
        return;
      default:
        this.#tensors(name, kind, entries, id);
    }
  }

  /** The id of a given object, which must be of the kind that the file has. */
  #targetOf(kind: Kind, target: BindingArgument): bigint | undefined {
    if (target === undefined) return undefined;
    const given = describeArgument(target);
    if (kind === "data") {
      throw failure("ERR_ARGUMENT", `the file has plain data here, which load returns, given ${given}`);
    }
    if (typeof target === "bigint" && kindOf(target) === kind) return target;
    const article = /^[aeiou]/.test(kind) ? "an" : "a";
    throw failure("ERR_HANDLE_KIND", `the file has ${article} ${kind} here, given ${given}`);
  }

  #make(name: string, id: bigint): void {
    this.made.push([name, { id }]);
  }

  /** A tensor, a vector or a dictionary. */
  #tensors(name: string, kind: "tensor" | "vector" | "dictionary", entries: JsonObject, id?: bigint): void {
    const calls = this.#calls;
    const [keys, elements, trained] = ["keys", "elements", "gradient"].map((key) => list(entries, key));
    const saved = (keys as readonly Json[]).map((key, i): readonly [string, string] => {
      const array = referenced(elements?.[i]);
      if (typeof key !== "string" || array === undefined) throw misfit("elements");
      this.#arrays.describe(array);
      return [key, array];
    });
    let object = id;
    if (object === undefined) {
      const tensors = saved.map(([, array], i) => {
        const { data, shape, dtype } = this.#arrays.read(array);
        const tensor = calls.make("tensor", { data, shape, ...(dtype && { dtype }) });
        if (trained?.[i] === true) calls.call("gradflag", tensor, true);
        return tensor;
      });
      if (kind === "tensor") object = tensors[0] ?? refuse(misfit("elements of a tensor"));
      else if (kind === "vector") object = calls.make("vector", ...tensors);
      else object = calls.make("dict", Object.fromEntries(saved.map(([key], i) => [key, tensors[i] as bigint])));
      this.#make(name, object);
    } else {
      this.#fill(object, looseLayoutOf(calls, object, kind), saved);
    }
    this.#optimizers.addLoose(name, object, kind);
  }

  #fill(id: bigint, layout: readonly TensorProperties[], saved: NamedArrays): void {
    for (const change of tensorChanges(this.#calls, this.#arrays, { id, layout }, saved)) this.changes.push(change);
  }

  /** The module of a name: the given one, whose tensors are to be set, or a new one. */
  #module(name: string, state: Json, frozen: Json): bigint {
    const calls = this.#calls;
    const saved = arraysOfRows(state);
    const target = this.#modules.get(name);
    const module = target ?? calls.make("module", this.#arrays.argument(state));
    this.#modules.set(name, module);
    const { parameters, buffers } = layoutOf(calls, module);
    const layout = [...parameters, ...buffers];
    if (target !== undefined) this.#fill(module, layout, saved);
    else {
      const identities = calls.identitiesOf(module).tensors;
      const known = new Set(saved.map(([name]) => name));
      const set = new Set(identities.filter((_, i) => known.has(layout[i]?.name ?? "")));
      requireAll(layout, (i) => set.has(identities[i] as number));
    }
    const names = new Set(Array.isArray(frozen) ? frozen : refuse(misfit("names of frozen parameters")));
    const tensors = calls.tensorsOf(module);
    for (const [i, parameter] of parameters.entries()) {
      const isTrained = !names.has(parameter.name);
      if (parameter.requiresGradient === isTrained) continue;
      const set = (flag: boolean) => calls.call("gradflag", tensors[i] as bigint, flag);
      if (target === undefined) set(isTrained);
      else
        this.#change(
          () => set(isTrained),
          () => set(!isTrained),
        );
    }
    return module;
  }

  /** The optimizer of a name: the given one, whose state is to be set, or a new one. */
  #optimizer(name: string, entries: JsonObject): bigint {
    const state = dictionary(entry(entries, "state"), "state");
    const { made, target } = this.#optimizers.restored(name, state, this.#modules);
    if (target === undefined) return made;
    const exchange = () => this.#calls.call("exchange", target, made);
    this.#change(exchange, exchange);
    return target;
  }

  /** Makes the module of a new model, since an optimizer of an own name may have its parameters. */
  #makeModuleOfModel(name: string, object: Json): void {
    const entries = entriesIn(object);
    if (entries?.get("kind") !== "model" || this.#given.has(name) || this.#modules.has(name)) return;
    const state = entry(entries, "module");
    if (typeof state === "string") return;
    this.#module(name, state, entry(entries, "frozen"));
    this.#modelsWithModule.add(name);
  }

  #model(name: string, entries: JsonObject, id?: bigint): void {
    const calls = this.#calls;
    const [state, part] = [entry(entries, "module"), entry(entries, "optimizer")];
    const owner = this.#modelsWithModule.has(name) ? name : state;
    const module =
      typeof owner === "string"
        ? (this.#modules.get(owner) ?? refuse(misfit("a module of a model")))
        : this.#module(name, state, entry(entries, "frozen"));
    const optimizer =
      typeof part === "string"
        ? (this.#optimizers.get(part) ?? refuse(misfit("an optimizer of a model")))
        : this.#optimizer(name, entriesIn(part) ?? refuse(misfit("an optimizer of a model")));
    const loaders = loadersOf(this.#arrays, entries);
    const saved = entry(entries, "loss");
    const loss = saved === null ? undefined : lossOf(calls, this.#arrays, saved);
    let hasFunction = false;
    if (id !== undefined) {
      const [, own] = calls.call("outline", id) as readonly BindingResult[];
      hasFunction = (own as readonly BindingResult[])[0] === "callback";
      if (loss !== undefined && !hasFunction) checkLoss(calls, own as BindingResult, loss);
    } else if (loss === undefined) {
      const message = "its loss is a function of the program that saved it: make a model, and give it to load";
      throw failure("ERR_ARGUMENT", message);
    }
    // Of a given model, one that checks the options. Of its function as a loss there is no handle.
    const checked = () => (hasFunction ? calls.make("loss", "mse") : calls.make("loss", id as bigint));
    const made = calls.make("model", module, loss ?? checked(), optimizer);
    for (const loader of loaders) {
      setLoader(calls, made, loader);
      if (id !== undefined) this.changes.push(loaderChange(calls, id, loader));
    }
    if (id === undefined) this.#make(name, made);
  }
}

/** The names of the tensors in rows of a module, each with the name of its array. */
function arraysOfRows(rows: Json): NamedArrays {
  if (!Array.isArray(rows)) throw misfit("rows of a module");
  const entries = rows.map((row: Json) => entriesIn(row) ?? refuse(misfit("rows of a module")));
  const paths = pathsOf(
    entries.map((row) => ({ depth: Number(row.get("depth")), name: String(row.get("name") ?? "") })),
  );
  return entries.flatMap((row, i) =>
    ["parms", "buffers"].flatMap((column) => {
      const tensors = entriesIn(row.get(column)) ?? refuse(misfit("rows of a module"));
      return Array.from(tensors, ([name, value]): [string, string | undefined] => [
        joined(paths[i] as string, name),
        referenced(value),
      ]).filter((pair): pair is [string, string] => pair[1] !== undefined);
    }),
  );
}
