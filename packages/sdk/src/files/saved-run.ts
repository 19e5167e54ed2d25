// The objects of a run as the description of a file, and tensors by name.
//
// The description has an entry for each object, by the name that the caller gave it, with its kind and its state as plain data.

import type { BindingArgument, BindingResult, TypedTensor } from "../binding.js";
import { generatorState } from "../values/generator.js";
import type { Arguments } from "./arguments.js";
import { type Calls, failure, kindOf, within } from "./calls.js";
import { type Json, objectOf } from "./json.js";
import { layoutOf, looseLayoutOf, pathsOf } from "./module-layout.js";
import { joined, reference, resultJson, takenJson, tensorOf } from "./plain-data.js";
import { positionJson } from "./positions.js";
import { type TensorToWrite, writeFile } from "./safetensors.js";

/** The place of a tensor: its object, and its name there. */
interface Place {
  readonly identity: number;
  readonly object: string;
  readonly name: string;
}

/** A module with the identities of its tensors. */
interface SavedModule {
  readonly name: string;
  readonly id: bigint;
  readonly tensors: readonly number[];
}

/** A row of the state of a module. */
interface ModuleRow {
  readonly depth: number;
  readonly name: string;
  readonly parms: { readonly [name: string]: string | TypedTensor };
  readonly buffers: { readonly [name: string]: string | TypedTensor };
  readonly names?: readonly string[];
}

/** A parameter in the state of an optimizer. */
interface ParameterRow {
  readonly pointer: number;
  readonly [column: string]: BindingResult;
}

/** The bytes of the file of a run: what `save(path, objects)` of the native engine writes. */
export function runBytes(calls: Calls, args: Arguments, place: string): Uint8Array {
  calls.requireGenerator();
  const run = new SavedRun(calls);
  const content = run.describe([...args.objects()]);
  args.finish();
  return writeFile(run.arrays, content, place);
}

class SavedRun {
  /** The tensors of the file. */
  readonly arrays: TensorToWrite[] = [];
  readonly #calls: Calls;
  /** The modules of the objects by their names, models' among them, with the identities of their tensors. */
  readonly #modules: SavedModule[] = [];
  /** Names of objects with optimizers, which may be models, by the identities of these. */
  readonly #optimizers = new Map<number, string>();
  /** In ascending order of identities. */
  readonly #places: Place[] = [];
  /** The first place of each tensor. */
  readonly #placeOf = new Map<number, Place>();
  /** The first value that no file holds. */
  #refusal: unknown;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Describes objects by their names. */
  describe(objects: readonly (readonly [string, BindingArgument])[]): Json {
    this.#findOwners(objects);
    const described = new Map<string, Json>();
    for (const [name, object] of objects) {
      if (name === "" || name.includes(".")) {
        throw failure("ERR_ARGUMENT", `expected a name without dots, given "${name}"`);
      }
      described.set(
        name,
        within(name, () => this.#entry(name, object)),
      );
    }
    if (this.#refusal !== undefined) throw this.#refusal;
    const { data } = this.#calls.call("generator") as TypedTensor<"double">;
    const { key, position } = generatorState(data);
    return objectOf({ objects: described, generator: objectOf({ key, position }) });
  }

  /** Finds the objects that others refer to. A module comes before a model of it. */
  #findOwners(objects: readonly (readonly [string, BindingArgument])[]): void {
    const ofModels: SavedModule[] = [];
    for (const [name, id] of objects) {
      if (typeof id !== "bigint") continue;
      within(name, () => this.#calls.call("class", id));
      const { tensors, optimizer } = this.#calls.identitiesOf(id);
      const kind = kindOf(id);
      if (kind === "module") this.#modules.push({ name, id, tensors });
      else if (kind === "model") ofModels.push({ name, id, tensors });
      else if (kind === "optimizer") {
        const other = this.#optimizers.get(optimizer);
        if (other !== undefined) {
          const message = `\`${other}\` and \`${name}\` are one optimizer: save it under one name`;
          throw failure("ERR_ARGUMENT", message);
        }
        this.#optimizers.set(optimizer, name);
      } else if (kind !== "loss" && kind !== undefined) {
        const layout = looseLayoutOf(this.#calls, id, kind);
        tensors.forEach((identity, i) => {
          this.#places.push({ identity, object: name, name: layout[i]?.name ?? "" });
        });
      }
    }
    for (const model of ofModels) {
      if (this.#ownerOf(model.tensors) !== undefined) continue;
      this.#modules.push({ ...model, id: this.#calls.make("module", model.id) });
    }
    for (const { name, id, tensors } of this.#modules) {
      const { parameters, buffers } = layoutOf(this.#calls, id);
      for (const [i, tensor] of [...parameters, ...buffers].entries()) {
        this.#places.push({ identity: tensors[i] as number, object: name, name: tensor.name });
      }
    }
    // Stable, so that the first name of a tensor that an object has twice comes first.
    this.#places.sort((a, b) => a.identity - b.identity);
    for (const [i, one] of this.#places.entries()) {
      if (!this.#placeOf.has(one.identity)) this.#placeOf.set(one.identity, one);
      const other = this.#places[i + 1];
      if (other === undefined || one.identity !== other.identity || one.object === other.object) continue;
      const [a, b] = [one, other].map(({ object, name }) => joined(object, name));
      const instead = "which would come apart: save one of the objects, or a module that has both";
      throw failure("ERR_PARAMETER", `\`${a}\` and \`${b}\` are one tensor, ${instead}`);
    }
  }

  /** The name of the object whose module has these tensors. */
  #ownerOf(tensors: readonly number[]): string | undefined {
    if (tensors.length === 0) return undefined;
    const isEqual = (others: readonly number[]) =>
      others.length === tensors.length && others.every((one, i) => one === tensors[i]);
    return this.#modules.find((known) => isEqual(known.tensors))?.name;
  }

  /** The entry of an object. */
  #entry(name: string, object: BindingArgument): Json {
    if (typeof object !== "bigint") return objectOf({ kind: "data", value: this.#data(name, object) });
    const kind = kindOf(object);
    switch (kind) {
      case "module": {
        const [state, frozen] = this.#module(name, object);
        return objectOf({ kind, state, frozen });
      }
      case "optimizer":
        return objectOf({ kind, state: this.#optimizer(name, object) });
      case "loss":
        return objectOf({ kind, loss: lossJson(this.#calls.call("outline", object)) });
      case "model":
        return this.#model(name, object);
      default:
        return this.#tensors(kind as "tensor", name, object);
    }
  }

  #data(name: string, value: BindingArgument): Json {
    try {
      return takenJson(value, name, this.arrays);
    } catch (error) {
      // The native engine looks at all objects first.
      this.#refusal ??= error;
      return null;
    }
  }

  /** An array in the place of a tensor. */
  #array(name: string, array: TypedTensor): Json {
    this.arrays.push(tensorOf(name, array));
    return reference(name);
  }

  #tensors(kind: "tensor" | "vector" | "dictionary", name: string, id: bigint): Json {
    const layout = looseLayoutOf(this.#calls, id, kind);
    const tensors = kind === "tensor" ? [id] : this.#calls.tensorsOf(id);
    const data = (tensor: bigint) => this.#calls.call("data", tensor) as TypedTensor;
    return objectOf({
      kind,
      keys: layout.map((tensor) => tensor.name),
      elements: tensors.map((tensor, i) => this.#array(joined(name, layout[i]?.name ?? ""), data(tensor))),
      gradient: tensors.map(
        (tensor, i) => layout[i]?.requiresGradient === true && this.#calls.call("leaf", tensor) === true,
      ),
    });
  }

  /** The rows of a module, and the names of its frozen parameters. */
  #module(name: string, id: bigint): readonly [rows: Json, frozen: Json] {
    const rows = this.#calls.call("state", id) as unknown as readonly ModuleRow[];
    const paths = pathsOf(rows);
    const described = rows.map((row, i) => {
      const path = joined(name, paths[i] as string);
      const columns = Object.entries(row).map(([column, value]): [string, Json] => {
        if (column !== "parms" && column !== "buffers") return [column, resultJson(value, () => null)];
        // The names of a caller are in the order of a list, since JavaScript moves keys that look like numbers.
        const keys = column === "parms" && row.names ? row.names : Object.keys(value);
        const tensor = (key: string) => (value as ModuleRow["parms"])[key] as string | TypedTensor;
        const entry = (key: string): [string, Json] => {
          const given = tensor(key);
          return [key, typeof given === "string" ? given : this.#array(joined(path, key), given)];
        };
        return [column, new Map(keys.map(entry))];
      });
      return new Map(columns);
    });
    const frozen = layoutOf(this.#calls, id).parameters.filter((parameter) => !parameter.requiresGradient);
    return [described, frozen.map((parameter) => parameter.name)];
  }

  /** The state of an optimizer. Each parameter has the name of its object, and its name there. */
  #optimizer(name: string, id: bigint): Json {
    const state = this.#calls.call("state", id, true) as { readonly [key: string]: BindingResult };
    const rows = state.parms as unknown as readonly ParameterRow[];
    const places = rows.map(({ pointer }) => {
      const place = this.#placeOf.get(pointer);
      if (place) return place;
      const instead = "add their module, vector, dictionary or tensor";
      const message = `its parameters belong to no object that is saved with it: ${instead}`;
      throw failure("ERR_PARAMETER", message);
    });
    // The name of the only object is left out.
    const isSingle = places.every(({ object }) => object === places[0]?.object);
    const described = rows.map((row, i) => {
      const { object, name: own } = places[i] as Place;
      const path = isSingle ? joined(name, own) : joined(joined(name, object), own);
      const columns: [string, Json][] = [];
      for (const [column, value] of Object.entries(row)) {
        // An identity means nothing in another process.
        if (column === "pointer") continue;
        const array = (found: TypedTensor, keys: readonly string[]) => this.#array([path, ...keys].join("."), found);
        columns.push([column, column === "name" ? own : resultJson(value, array)]);
      }
      return new Map([...columns, ["object", object] as const]);
    });
    const entry = ([key, value]: [string, BindingResult]): [string, Json] => [
      key,
      key === "parms" ? described : resultJson(value, () => null),
    ];
    return new Map(Object.entries(state).map(entry));
  }

  /** A model: its parts, or the names under which they are saved too. */
  #model(name: string, id: bigint): Json {
    const calls = this.#calls;
    const { tensors, optimizer: identity } = calls.identitiesOf(id);
    const owner = this.#ownerOf(tensors);
    const own = () => this.#module(name, calls.make("module", id));
    const [module, frozen] = owner !== undefined && owner !== name ? [owner, null] : own();
    const known = this.#optimizers.get(identity);
    const optimizer = known ?? objectOf({ state: this.#optimizer(name, calls.make("opt", id)) });
    if (known === undefined) this.#optimizers.set(identity, name);
    const [, loss] = calls.call("outline", id) as readonly BindingResult[];
    const isOwn = (loss as readonly BindingResult[])[0] === "callback";
    return objectOf({
      kind: "model",
      module,
      frozen,
      optimizer,
      loss: isOwn ? null : lossJson(loss as BindingResult),
      train: this.#loader(joined(name, "train"), "train", id),
      test: this.#loader(joined(name, "test"), "test", id),
    });
  }

  /** Options and position of a data loader. */
  #loader(name: string, command: "train" | "test", id: bigint): Json {
    const options = resultJson(this.#calls.call(command, id), () => null);
    const numbers = this.#calls.call("position", id, command === "train") as TypedTensor<"double"> | null;
    const array = (found: TypedTensor, key: string) => this.#array(`${name}.position.${key}`, found);
    return objectOf({ options, position: numbers && positionJson(numbers.data, array) });
  }
}

/** A loss of its outline: its name, and then names and values of its options. */
function lossJson(outline: BindingResult): Json {
  const [name, ...options] = outline as readonly BindingResult[];
  const entries = options.flatMap((key, i): [string, Json][] =>
    i % 2 === 0 ? [[key as string, resultJson(options[i + 1] as BindingResult, () => null)]] : [],
  );
  return objectOf({ name: name as string, options: new Map(entries) });
}
