import type { TypedTensor } from "../binding.js";
import type { AnyHandle } from "../handle.js";
import type { Dtype } from "./arguments.js";
import type { AnyLoss, AnyModel, AnyModule, AnyOptimizer, AnyTensor } from "./objects.js";

/** Data that the file of a run holds as they are. Keys keep their order. */
export type PlainData =
  | null
  | boolean
  | number
  | string
  | ArrayBufferView
  | TypedTensor
  | readonly PlainData[]
  | { readonly [key: string]: PlainData };

/** An object of a run, or plain data: an epoch, a configuration, a list of losses. */
export type RunObject = AnyModule | AnyOptimizer | AnyModel | AnyLoss | AnyTensor | PlainData;

/** The objects of a run by name. Names have no dots. */
export interface RunObjects {
  /** An object. */
  readonly [name: string]: RunObject;
}

/** Objects to be set from a file by name. */
export interface RunTargets {
  /** An object of the kind that the file has under this name. */
  readonly [name: string]: AnyModule | AnyOptimizer | AnyModel | AnyLoss | AnyTensor;
}

/** The content of the file of a run: new objects as handles, and plain data. */
export interface LoadedRun {
  /** A handle, or plain data. */
  readonly [name: string]: AnyHandle | PlainData;
}

/** The content of a file, without elements. */
export interface FileContent {
  /** Version of the format; null for a file of another program. */
  readonly version: number | null;
  /** SHA-256 over the file, of blocks of 4 MiB; null for a file of another program. */
  readonly sha256: string | null;
  /** The size of the file in bytes. */
  readonly bytes: number;
  /** The kind of each object of a run by its name; empty for the file of a module. */
  readonly objects: { readonly [name: string]: "module" | "optimizer" | "model" | "loss" | "tensor" | "data" };
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
