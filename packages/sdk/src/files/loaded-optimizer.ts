// The optimizers of the file of a run, each on the parameters of several objects.
//
// The command `opt(state, module)` restores one on the parameters of a module. So an optimizer of the same parameters, which has the
// objects that they came from, gives a module of them all. The restored optimizer then gets these objects.

import type { BindingArgument } from "../binding.js";
import { type Calls, failure, misfit } from "./calls.js";
import type { Change } from "./changes.js";
import { describeJson } from "./described.js";
import { entry } from "./entries.js";
import { entriesIn, type Json, type JsonObject } from "./json.js";
import { layoutOf, looseLayoutOf, type TensorProperties } from "./module-layout.js";
import { joined } from "./plain-data.js";
import type { RunPart } from "./run-part.js";
import { compared } from "./safetensors.js";

type LooseKind = "tensor" | "vector" | "dictionary";

/** An object that parameters belong to. */
interface Origin {
  readonly id: bigint;
  readonly kind: "module" | LooseKind;
  readonly parameters: ReadonlyMap<string, TensorProperties>;
}

/** A parameter in the state of an optimizer. */
interface ParameterRow {
  readonly group: number;
  readonly object: string;
  readonly name: string;
  readonly columns: JsonObject;
}

/** The definition of an optimizer, as far as it is used here. */
interface Definition {
  readonly optimizer: string;
  readonly parms: readonly { readonly name: string; readonly pointer: number }[];
}

/** The state of a given optimizer. */
interface OwnState {
  readonly optimizer: string;
  readonly averaged?: boolean;
  readonly parms: readonly { readonly [column: string]: BindingArgument; readonly pointer: number }[];
}

/** The optimizers of a file by name. */
export class LoadedOptimizers {
  readonly #calls: Calls;
  readonly #argument: (value: Json) => BindingArgument;
  readonly #targets = new Map<string, bigint>();
  readonly #known = new Map<string, bigint>();
  readonly #loose = new Map<string, Origin>();

  constructor(calls: Calls, argument: (value: Json) => BindingArgument) {
    this.#calls = calls;
    this.#argument = argument;
  }

  /** The optimizers that are to be set, by name. */
  get given(): ReadonlyMap<string, bigint> {
    return this.#targets;
  }

  /** Whether the optimizer of a name is to be set. */
  isGiven(name: string): boolean {
    return this.#targets.has(name);
  }

  /** Adds an optimizer that is to be set. */
  give(name: string, id: bigint): void {
    this.#targets.set(name, id);
  }

  /** The optimizer of a name, once it was restored. */
  get(name: string): bigint | undefined {
    return this.#known.get(name);
  }

  /** Adds tensors outside of modules. */
  addLoose(name: string, id: bigint, kind: LooseKind): void {
    const layout = looseLayoutOf(this.#calls, id, kind);
    this.#loose.set(name, { id, kind, parameters: new Map(layout.map((tensor) => [tensor.name, tensor])) });
  }

  /** An optimizer of a state, and the given one that is to become it. */
  restored(name: string, state: JsonObject, modules: ReadonlyMap<string, bigint>): { made: bigint; target?: bigint } {
    const calls = this.#calls;
    if (modules.size + this.#loose.size === 0) {
      const instead = "load their module, vector, dictionary or tensor too";
      throw failure("ERR_PARAMETER", `its parameters belong to no object that is loaded with it: ${instead}`);
    }
    const rows = rowsOf(state);
    const origins = this.#originsOf(rows, modules);
    checkRows(rows, origins);
    const source = calls.make("opt", "sgd");
    const ordered = [...rows].sort((a, b) => a.group - b.group);
    for (const run of runsOf(ordered))
      this.#register(source, origins.get((run[0] as ParameterRow).object) as Origin, run);
    if (modules.size + this.#loose.size === 1)
      for (const id of modules.values()) calls.call("opt", source, 0, [id, []]);
    const { parms } = calls.call("opt", source, false) as unknown as Definition;
    const names = new Map(ordered.map((row, i) => [row, parms[i]?.name ?? row.name]));
    const [only] = modules.values();
    const module = parms.length > 0 || modules.size === 1 ? calls.make("module", source) : only;
    const described = rows.map((row) => {
      const columns = [...row.columns].filter(([column]) => column !== "object");
      return new Map([...columns, ["name", names.get(row) as string] as const]);
    });
    const argument = this.#argument(new Map([...state, ["parms", described] as const]));
    const made = calls.make("opt", argument, module ?? calls.make("module", ["sequential"]));
    calls.call("exchange", made, source, true);
    const target = this.#targets.get(name);
    // The parameters of the other optimizer, whose definition is short: a file may have very many groups without parameters.
    if (target !== undefined) this.#checkTarget(target, state.get("optimizer") as string, parms);
    this.#known.set(name, target ?? made);
    return { made, ...(target !== undefined && { target }) };
  }

  /** A change that gives an optimizer the state of the parameters that are loaded. It keeps its groups and options. */
  statesOf(name: string, state: JsonObject, part: RunPart): Change | undefined {
    const calls = this.#calls;
    const target = this.#targets.get(name) as bigint;
    const own = calls.call("state", target, true) as unknown as OwnState;
    checkStates(own, state);
    const positions = new Map(own.parms.map(({ pointer }, i) => [pointer, i]));
    const parms: BindingArgument[] = [...own.parms];
    const taken = new Set<number>();
    for (const { object, name: parameter, columns } of rowsOf(state)) {
      const source = part.sourceOf(object, parameter);
      const loaded = part.loaded.get(source);
      // The report names parameters that are not loaded, once.
      if (!loaded) continue;
      const position = positions.get(loaded.identity);
      if (position === undefined) {
        part.report?.unexpected.push(joined(name, source));
        continue;
      }
      taken.add(loaded.identity);
      const buffers = columns.get("buffers");
      if (buffers !== undefined) parms[position] = { ...own.parms[position], buffers: this.#argument(buffers) };
    }
    const missing = [...part.loaded.values()].filter(({ identity }) => positions.has(identity) && !taken.has(identity));
    part.report?.missing.push(...missing.map((tensor) => joined(name, tensor.name)).sort(compared));
    if (taken.size === 0) return undefined;
    const made = calls.make("opt", { ...own, parms } as BindingArgument, calls.make("module", target));
    const exchange = (...origins: readonly true[]) => calls.call("exchange", target, made, ...origins);
    // The objects that its parameters came from stay.
    return {
      apply: () => {
        exchange();
        exchange(true);
      },
      undo: () => {
        exchange(true);
        exchange();
      },
    };
  }

  /** The objects of the rows. */
  #originsOf(rows: readonly ParameterRow[], modules: ReadonlyMap<string, bigint>): ReadonlyMap<string, Origin> {
    const origins = new Map<string, Origin>();
    for (const { object } of rows) {
      if (origins.has(object)) continue;
      const [module, loose] = [modules.get(object), this.#loose.get(object)];
      if (module !== undefined) {
        const { parameters } = layoutOf(this.#calls, module);
        const byName = new Map(parameters.map((tensor) => [tensor.name, tensor]));
        origins.set(object, { id: module, kind: "module", parameters: byName });
      } else if (loose) origins.set(object, loose);
    }
    return origins;
  }

  /** Adds parameters of one object to an optimizer. */
  #register(optimizer: bigint, { id, kind, parameters }: Origin, run: readonly ParameterRow[]): void {
    const calls = this.#calls;
    const names = run.map(({ name }) => name);
    const list = kind === "tensor" ? id : [id, kind === "vector" ? names.map(Number) : names];
    const add = () => calls.call("opt", optimizer, 0, list);
    const isTrained = kind === "module" || names.some((name) => parameters.get(name)?.requiresGradient);
    if (isTrained) add();
    else {
      // An optimizer takes loose tensors if one of them is trained, as all were that the file has.
      const tensor = kind === "tensor" ? id : calls.tensorsOf(id)[[...parameters.keys()].indexOf(names[0] as string)];
      calls.call("gradflag", tensor, true);
      try {
        add();
      } finally {
        calls.call("gradflag", tensor, false);
      }
    }
  }

  /** Fails unless a given optimizer is of the same kind, and on the same parameters. */
  #checkTarget(target: bigint, saved: string, parms: Definition["parms"]): void {
    const own = this.#calls.call("opt", target, false) as unknown as Definition;
    if (own.optimizer !== saved)
      throw failure("ERR_FORMAT", `expected a state of ${own.optimizer}, given one of ${saved}`);
    const known = new Set(own.parms.map(({ pointer }) => pointer));
    if (own.parms.length === parms.length && parms.every(({ pointer }) => known.has(pointer))) return;
    const expected =
      "expected an optimizer of the parameters that the file's has, of the objects that are loaded with it";
    throw failure("ERR_PARAMETER", expected);
  }
}

/** Throws unless the state of a file is one of an optimizer. */
function checkStates(own: OwnState, saved: JsonObject): void {
  const given = entry(saved, "optimizer");
  if (typeof given !== "string") {
    throw failure("ERR_FORMAT", `state attribute optimizer: expected a string, given ${describeJson(given)}`);
  }
  if (own.optimizer !== given) {
    throw failure("ERR_FORMAT", `expected a state of ${own.optimizer}, given one of ${given}`);
  }
  if (own.optimizer === "lbfgs") {
    throw failure("ERR_UNSUPPORTED", "lbfgs has one state of all parameters, which loads only as a whole");
  }
  const words = (isSwapped: unknown) => (isSwapped === true ? "swapped in" : "not swapped in");
  const [expected, found] = [own.averaged, saved.get("averaged")].map(words);
  if (expected === found) return;
  throw failure("ERR_FORMAT", `expected averages that are ${expected}, as by average(o), given ones that are ${found}`);
}

function rowsOf(state: JsonObject): readonly ParameterRow[] {
  const list = state.get("parms");
  if (!Array.isArray(list)) throw misfit("the parameters of an optimizer");
  return list.map((row: Json) => {
    const columns = entriesIn(row);
    const [group, object, name] = ["parmgroup", "object", "name"].map((column) => columns?.get(column));
    if (!columns || typeof group !== "number" || typeof object !== "string" || typeof name !== "string") {
      throw misfit("the parameters of an optimizer");
    }
    return { group, object, name, columns };
  });
}

/** Fails unless each row is of a parameter that there is, once. */
function checkRows(rows: readonly ParameterRow[], origins: ReadonlyMap<string, Origin>): void {
  const taken = new Set<unknown>();
  for (const { object, name } of rows) {
    const parameter = origins.get(object)?.parameters.get(name);
    const full = joined(object, name);
    if (!parameter) throw failure("ERR_PARAMETER", `unable to find parameter \`${full}\` in the objects`);
    if (taken.has(parameter)) throw failure("ERR_PARAMETER", `parameter \`${full}\` is repeated`);
    taken.add(parameter);
  }
}

/** Rows of one group and one object that follow each other. */
function runsOf(rows: readonly ParameterRow[]): readonly (readonly ParameterRow[])[] {
  const runs: ParameterRow[][] = [];
  for (const row of rows) {
    const last = runs.at(-1)?.at(-1);
    if (last?.object === row.object && last.group === row.group) runs.at(-1)?.push(row);
    else runs.push([row]);
  }
  return runs;
}
