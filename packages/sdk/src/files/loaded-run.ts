// The objects of the file of a run on their way into the session: made and checked first, changed later. All or nothing.

import type { BindingArgument, BindingResult, TypedTensor } from "../binding.js";
import { type GeneratorState, generatorNumbers } from "../values/generator.js";
import type { ArgumentEntries } from "./arguments.js";
import { type Calls, failure, kindOf, misfit, within } from "./calls.js";
import { applyAll, type Change } from "./changes.js";
import { describeArgument } from "./described.js";
import { dictionary, entry, list, refuse } from "./entries.js";
import { checkShared, looseKinds, looseObjects } from "./given-objects.js";
import { type NamedArrays, requireAll, tensorChanges } from "./given-tensors.js";
import { entriesIn, type Json, type JsonObject, withNumbers } from "./json.js";
import type { LoadReport } from "./load-report.js";
import { checkNames, type LoadRequest } from "./load-request.js";
import { checkLoss, loaderChange, loadersOf, lossOf, setLoader } from "./loaded-model.js";
import { LoadedOptimizers } from "./loaded-optimizer.js";
import { layoutOf, looseLayoutOf, type TensorProperties } from "./module-layout.js";
import { arraysOfRows } from "./module-rows.js";
import { checkUnique, referenced } from "./plain-data.js";
import { RunPart } from "./run-part.js";
import type { SavedFile } from "./safetensors.js";
import { SavedArrays } from "./saved-arrays.js";

/** In this order objects are loaded, since one can refer to another of a kind before its own. */
const kinds = ["data", "tensor", "vector", "dictionary", "loss", "module", "optimizer", "model"] as const;
type Kind = (typeof kinds)[number];

/** Parts of a model in messages. */
const partOfModel = { module: "a module of a model", optimizer: "an optimizer of a model" } as const;

/** New objects by name, as ids, and plain data. */
export type Loaded = readonly (readonly [name: string, value: { readonly id: bigint } | { readonly data: unknown }])[];

/** The result of a load. */
export interface LoadResult {
  readonly made: Loaded;
  /** Unless the load is strict. */
  readonly report: LoadReport["result"] | undefined;
}

/** Loads the objects of a file. Returns what was not given, by name. */
export function loadRun(calls: Calls, file: SavedFile, request: LoadRequest): LoadResult {
  const { given, verify } = request;
  if (verify && given.size > 0) file.verify();
  const run = new LoadedRun(calls, file, request);
  try {
    run.prepare();
  } catch (error) {
    // The error of a damaged file is the one of its checksum.
    if (verify) file.verify();
    throw error;
  }
  if (verify && given.size === 0) file.verify();
  applyAll(run.changes);
  calls.keep(run.made.flatMap(([, value]) => ("id" in value ? [value.id] : [])));
  return { made: run.made, report: run.report };
}

const differentPart = (name: string, owner: string, part: string) =>
  failure("ERR_ARGUMENT", `\`${name}\`: the file has one ${part} for it and \`${owner}\`, given another than its own`);

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
  checkUnique(content);
  return content;
}

class LoadedRun {
  readonly made: (readonly [name: string, value: { readonly id: bigint } | { readonly data: unknown }])[] = [];
  readonly changes: Change[] = [];
  readonly #calls: Calls;
  readonly #file: SavedFile;
  readonly #arrays: SavedArrays;
  readonly #request: LoadRequest;
  readonly #given: ArgumentEntries;
  /** The part that is loaded, if it is not all. */
  #part: RunPart | undefined;
  /** The modules by name: given ones, and those that were made. */
  readonly #modules = new Map<string, bigint>();
  /** The new models whose modules are made already. */
  readonly #modelsWithModule = new Set<string>();
  readonly #optimizers: LoadedOptimizers;

  constructor(calls: Calls, file: SavedFile, request: LoadRequest) {
    this.#calls = calls;
    this.#file = file;
    this.#arrays = new SavedArrays(file);
    this.#request = request;
    this.#given = request.given;
    this.#optimizers = new LoadedOptimizers(calls, (value) => this.#arrays.argument(value));
  }

  get report(): LoadReport["result"] | undefined {
    return this.#part?.report;
  }

  /** Makes the objects of the file, and checks given ones. */
  prepare(): void {
    const { selection, strict, generator: setsGenerator } = this.#request;
    const content = contentOf(this.#file);
    const generator = content.get("generator");
    if (generator !== undefined) this.#generator(generator, setsGenerator);
    const objects = entriesIn(content.get("objects"));
    if (!objects) throw misfit("a dictionary of objects");
    checkNames(this.#request, objects);
    this.#findTargets(objects);
    checkShared(this.#calls, this.#modules, this.#given, this.#optimizers.given);
    if (!strict || !selection.isAll) {
      const part = new RunPart(selection, strict, objects);
      const targets = { modules: this.#modules, given: this.#given };
      for (const change of part.prepare(this.#calls, targets, this.#arrays, this.#file)) this.changes.push(change);
      for (const [name, id] of looseObjects(this.#given)) this.#optimizers.addLoose(name, id, kindOf(id) as "tensor");
      this.#part = part;
    }
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
      // Without an entry the tensors have other names in the file.
      const entries: JsonObject = entriesIn(objects.get(name)) ?? new Map();
      if (typeof target !== "bigint") continue;
      const kind = kindOf(target);
      if (!["module", "optimizer", "model"].includes(kind ?? "")) continue;
      within(name, () => this.#calls.call("class", target));
      if (kind === "module") this.#giveModule(name, name, target);
      if (kind === "optimizer") this.#giveOptimizer(name, name, target);
      if (kind !== "model") continue;
      const part = (key: "module" | "optimizer") => {
        const owner = entries.get(key);
        if (typeof owner !== "string") return name;
        const ownerKind = entriesIn(objects.get(owner))?.get("kind");
        if (ownerKind !== key && ownerKind !== "model") within(name, () => refuse(misfit(partOfModel[key])));
        return owner;
      };
      this.#giveModule(name, part("module"), this.#calls.make("module", target));
      this.#giveOptimizer(name, part("optimizer"), this.#calls.make("opt", target));
    }
  }

  /** Takes the module of a given object, which is the one of another if the file says so. */
  #giveModule(name: string, owner: string, id: bigint): void {
    const known = this.#modules.get(owner) ?? id;
    const [one, other] = [known, id].map((one) => this.#calls.identitiesOf(one).tensors);
    if (String(one) !== String(other)) throw differentPart(name, owner, "module");
    this.#modules.set(owner, known);
  }

  #giveOptimizer(name: string, owner: string, id: bigint): void {
    const known = this.#optimizers.given.get(owner) ?? id;
    const [one, other] = [known, id].map((one) => this.#calls.identitiesOf(one).optimizer);
    if (one !== other) throw differentPart(name, owner, "optimizer");
    this.#optimizers.give(owner, known);
  }

  /** An optimizer or a model of a part of a run, if it is given or belongs to a given model. */
  #prepareGiven(part: RunPart, name: string, kind: "optimizer" | "model", entries: JsonObject, id?: bigint): void {
    if (!part.selects(name)) return;
    const own = kind === "model" ? entriesIn(entry(entries, "optimizer")) : entries;
    if (own && this.#optimizers.isGiven(name)) {
      if (part.isStrict) this.#optimizer(name, own);
      else {
        const change = this.#optimizers.statesOf(name, dictionary(entry(own, "state"), "state"), part);
        if (change) this.changes.push(change);
      }
    }
    if (id === undefined || kind !== "model" || !part.isStrict) return;
    this.#dataOfModel(entries, id, this.#calls.make("module", id), this.#calls.make("opt", id));
  }

  /** Makes an object, or checks it against its target; what it changes is done later. */
  #prepare(name: string, object: Json, target: BindingArgument): void {
    const entries = entriesIn(object);
    const given = entries?.get("kind");
    if (!entries || typeof given !== "string") throw misfit("the kind of an object");
    const kind = kinds.find((known) => known === given);
    if (kind === undefined) throw failure("ERR_FORMAT", `unknown kind of object \`${given}\``);
    const part = this.#part;
    const isMade = target === undefined && (part?.makes(name, kind) ?? true);
    // A part of a model can be given without its own name.
    if (target === undefined && !isMade && kind !== "optimizer") return;
    const id = this.#targetOf(kind, target);
    if (part) {
      // Its tensors are prepared.
      if (id !== undefined && (kind === "module" || looseKinds.includes(kind))) return;
      if (!isMade && (kind === "optimizer" || kind === "model")) {
        this.#prepareGiven(part, name, kind, entries, id);
        return;
      }
      if (kind === "loss" && id !== undefined && !part.selects(name)) return;
    }
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
    const saved = dictionary(entry(entries, "state"), "state");
    const state = this.#part?.renamed(saved) ?? saved;
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
    if (!(this.#part?.makes(name, "model") ?? true)) return;
    const state = entry(entries, "module");
    if (typeof state === "string") return;
    this.#module(name, state, entry(entries, "frozen"));
    this.#modelsWithModule.add(name);
  }

  #model(name: string, entries: JsonObject, id?: bigint): void {
    const [state, part] = [entry(entries, "module"), entry(entries, "optimizer")];
    const owner = this.#modelsWithModule.has(name) ? name : state;
    const module =
      typeof owner === "string"
        ? (this.#modules.get(owner) ?? refuse(misfit(partOfModel.module)))
        : this.#module(name, state, entry(entries, "frozen"));
    const optimizer =
      typeof part === "string"
        ? (this.#optimizers.get(part) ?? refuse(misfit(partOfModel.optimizer)))
        : this.#optimizer(name, entriesIn(part) ?? refuse(misfit(partOfModel.optimizer)));
    const made = this.#dataOfModel(entries, id, module, optimizer);
    if (id === undefined) this.#make(name, made);
  }

  /** A model with the options and positions of the file, which the given one gets later. It must have the loss of the file. */
  #dataOfModel(entries: JsonObject, id: bigint | undefined, module: bigint, optimizer: bigint): bigint {
    const calls = this.#calls;
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
    return made;
  }
}
