// The interface between the SDK and an engine: the calls that the package of an engine implements.

import type { StepwellError } from "./errors.js";

/** The typed array of each element type. */
export interface ArrayOf {
  readonly float: Float32Array;
  readonly double: Float64Array;
  readonly half: Float32Array;
  readonly bfloat16: Float32Array;
  readonly long: BigInt64Array;
  readonly bool: Uint8Array;
}

/** The element type of a tensor. {@link Dtype} has more names of them. */
export type ElementType = keyof ArrayOf;

/**
 * Numbers of one type with a shape, in row-major order. Numbers of 16 bits come as a `Float32Array`, which holds each of them
 * exactly, and `dtype` gives their type. Some versions of JavaScript lack an array of such numbers. Booleans come as 0 and 1 in a
 * `Uint8Array`.
 *
 * @typeParam Type - the element type, if a program knows it
 */
export interface TypedTensor<Type extends ElementType = ElementType> {
  /** The elements. */
  readonly data: ArrayOf[Type];
  /** Sizes of the dimensions. */
  readonly shape: readonly number[];
  /** The element type, if it is not the type of the array. */
  readonly dtype?: Type & ("half" | "bfloat16" | "bool");
}

/**
 * An argument of a call of an engine. A `bigint` is a handle. A `BigUint64Array` is a rectangular list of plain numbers. Its bytes
 * are doubles: the elements, the sizes of the dimensions, and the count of these.
 */
export type BindingArgument =
  | null
  | undefined
  | boolean
  | number
  | string
  | bigint
  | ArrayBufferView
  | readonly BindingArgument[]
  | { readonly [key: string]: BindingArgument };

/** The result of a call of an engine. A `bigint` is a handle. */
export type BindingResult =
  | null
  | boolean
  | number
  | string
  | bigint
  | TypedTensor
  | readonly BindingResult[]
  | { readonly [key: string]: BindingResult };

/** The engine that runs: `native` computes with libtorch, `rust` in Rust alone, as an addon of Node, and `wasm` in WebAssembly. */
export type EngineName = "native" | "rust" | "wasm";

/** The engine that runs, and where it comes from. */
export interface EngineInfo {
  /** The engine. */
  readonly engine: EngineName;
  /** The libtorch of the native engine. */
  readonly libtorch?: {
    /** The folder with `lib`. */
    readonly path: string;
    /** The full version, such as `2.11.0+cpu`. */
    readonly version: string;
    /** The place where it was found. */
    readonly source: "LIBTORCH" | "package" | "cache" | "python";
    /** `loaded`, or the reason why the CUDA library was not loaded. `cudaStatus()` tells more. */
    readonly cuda: string;
    /** The library by which processes exchange tensors of GPUs; null if there is none. No GPU has run it yet. */
    readonly nccl: string | null;
  };
  /** The error of the native engine, if another one runs in its place. `STEPWELL_ENGINE=native` throws it at import. */
  readonly reason?: StepwellError;
}

/** How an engine starts. The addons have no choices, and accept these options without using them. */
export interface EngineOptions {
  /**
   * Bytes that all tensors may take together, up to 4 GiB less 64 KiB. Default 1 GiB. One tensor above 16 MiB may take at most
   * a quarter of the bytes that are free.
   */
  readonly memory?: number;
  /** `@stepwell/wasm/stepwell.wasm` as a `WebAssembly.Module`, if the caller has compiled it. */
  readonly module?: object;
}

/**
 * The calls of an engine in one session, which the package of the engine implements. `engines/node.ts` adds `reset` and
 * `ready` to the addons. Errors have a stable `code`.
 */
export interface Binding {
  /** Calls a command of the session. */
  call(command: string, args: readonly BindingArgument[]): BindingResult;
  /** The index of an operation that returns one tensor; null or undefined for other names. */
  operationIndex(name: string): number | null | undefined;
  /** The memory for the arguments of {@link callCompact}, until the next call. */
  compactMemory(): Float64Array;
  /** Calls an operation by its index, with that many numbers in the memory. Returns the number of the handle of the result. */
  callCompact(index: number, length: number): number;
  /**
   * Calls a command that may run functions of modules. `host` runs the one that `runningcall` names. It throws no exception: it returns a
   * number, or null if the function has failed, which ends the command with an error.
   */
  callHosted(command: string, args: readonly BindingArgument[], host: () => number | null): BindingResult;
  /**
   * Makes a step with options; the closure computes the loss and its gradients and returns the loss. The closure throws no
   * exception: it returns null if it has failed, which ends the step with an error.
   */
  stepWithClosure(optimizer: bigint, closure: () => number | null, options: BindingArgument): number;
  /**
   * Starts a command on the thread of the session's asynchronous calls, and returns its number. `wake` is called when it is over, and
   * with `reports` after each batch, in a turn of the event loop. Native engine only, as the next two.
   */
  start?(command: string, args: readonly BindingArgument[], wake: () => void, reports: boolean): number;
  /**
   * The asynchronous calls that are over, and the batches that they report. A row has the number, the code of the error or null, and
   * the result or the message. It ends with whether the call was stopped, which is null for a batch.
   */
  takeEvents?(): BindingResult;
  /** Stops an asynchronous call after its present batch. */
  stop?(number: number): void;
  /** Whether the engine has files, and takes the bytes of one as a `DataView`. Native engine only. */
  readonly hasFiles?: boolean;
  /** Frees those objects that live, by the numbers of their handles. */
  release(ids: Float64Array): void;
  /** Bytes of the memory of all objects, about. */
  bytes(): number;
  /** Gives memory that libtorch keeps for later tensors back to the devices. True if there was some. Native engine only. */
  releaseMemory?(): boolean;
  /** The version of libtorch, and the path of its CUDA library, which is null if there is none. Native engine only. */
  readonly libtorch?: { readonly version: string; readonly cudaLibrary: string | null };
  /** Throws `ERR_MEMORY` unless JavaScript may allocate this number of bytes outside of its heap. Native engine only. */
  checkMemory?(bytes: number): void;
  /** Frees every object and restores the initial state of the engine. True if a new engine had to be made. */
  reset(): boolean;
  /** Resolves when the engine has started. */
  ready(options?: EngineOptions): Promise<void>;
}
