import type { TypedTensor } from "../binding.js";
import type { LoadOptions, RunLoadOptions } from "../generated/settings.js";
import type { AnyHandle } from "../handle.js";
import type { Dtype } from "./arguments.js";
import type { AnyDictionary, AnyLoss, AnyModel, AnyModule, AnyOptimizer, AnyTensor, AnyVector } from "./objects.js";
import type { NumberArray } from "./tensor-data.js";

/** Data that the file of a run holds as they are. Keys keep their order. */
export type PlainData =
  | null
  | boolean
  | number
  | string
  | NumberArray
  | TypedTensor
  | readonly PlainData[]
  | { readonly [key: string]: PlainData };

/** An object of a run, or plain data: an epoch, a configuration, a list of losses. */
export type RunObject = RunTarget | PlainData;

/** An object of a run that can be set from a file. */
export type RunTarget = AnyModule | AnyOptimizer | AnyModel | AnyLoss | AnyTensor | AnyVector | AnyDictionary;

/** The objects of a run by name. Names have no dots. */
export interface RunObjects {
  /** An object. */
  readonly [name: string]: RunObject;
}

/** Functions and classes, which no file holds. */
type Code = ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown);

/**
 * Plain data in a type of the program, such as an interface, which has no index signature; `never` for what no file holds. A `bigint` within
 * 2^53 comes back as a number.
 */
export type StorableData<Value> = Value extends PlainData | bigint
  ? Value
  : Value extends RunTarget | Code
    ? never
    : Value extends object
      ? { readonly [Key in keyof Value]: StorableData<Value[Key]> }
      : never;

/** The objects of a run in a type of the program. */
export type StorableObjects<Objects> = Objects extends RunTarget | readonly unknown[] | Code
  ? never
  : { readonly [Name in keyof Objects]: StorableObject<Objects[Name]> };

type StorableObject<Value> = Value extends RunTarget ? Value : StorableData<Value>;

/** Objects to be set from a file by name. */
export interface RunTargets {
  /** An object of the kind that the file has under this name. */
  readonly [name: string]: RunTarget;
}

/** No objects: all of a run are made anew. */
export interface NoTargets {
  /** None. */
  readonly [name: string]: never;
}

/** The content of the file of a run: new objects as handles, and plain data. */
export interface LoadedRun {
  /** A handle, or plain data. */
  readonly [name: string]: AnyHandle | PlainData;
}

/** The names under which a file is loaded, and which of its tensors. */
export interface LoadSelection {
  /**
   * The name in the module for names in the file: a dictionary, or a function of the name. A tensor whose name becomes undefined or
   * null is left out. Other names stay. In a run, names begin with the one of the object, and the state of an optimizer has the names of
   * its parameters.
   */
  readonly rename?:
    | { readonly [name: string]: string | null | undefined }
    | ((name: string) => string | null | undefined);
  /**
   * Names of tensors or of modules in the module: only these are loaded, and only these have to be in the file. In a run, also names of
   * whole objects.
   */
  readonly only?: string | readonly string[];
}

/** How the file of a module is loaded, under which names, and which of its tensors. */
export interface ModuleLoadOptions extends LoadOptions, LoadSelection {}

/** How the file of a run is loaded, under which names, and which of its objects. */
export interface RunPartOptions extends RunLoadOptions, LoadSelection {}

/** The kind of an object of a run. */
export type RunObjectKind = "module" | "optimizer" | "model" | "loss" | "tensor" | "vector" | "dictionary" | "data";

/** The content of a file, without elements. */
export interface FileContent {
  /** Version of the format; null for a file of another program. */
  readonly version: number | null;
  /** SHA-256 over the file, of blocks of 4 MiB; null for a file of another program. */
  readonly sha256: string | null;
  /** The size of the file in bytes. */
  readonly bytes: number;
  /** The kind of each object of a run by its name; empty for the file of a module. */
  readonly objects: { readonly [name: string]: RunObjectKind };
  /** The tensors, in the order of their elements. */
  readonly tensors: readonly {
    /** The name; of a run it begins with the name of the object. */
    readonly name: string;
    /** The element type: a {@link Dtype}, or the word of safetensors for one that tensors do not have here. */
    readonly dtype: Dtype | (string & {});
    /** Sizes of the dimensions. */
    readonly shape: readonly number[];
    /** Bytes of the elements. */
    readonly bytes: number;
  }[];
}
