// The only seam between the SDK and an engine: what an engine's package supplies.

/**
 * Numbers of one type with a shape, in row-major order. Not every JavaScript has an array for numbers of 16 bits: those
 * come as `Float32Array`, which holds each of them exactly, and `dtype` tells what they are.
 */
export interface TypedTensor {
  readonly data: Float32Array | Float64Array | BigInt64Array;
  readonly shape: readonly number[];
  /** The element type, where the array's own is another. */
  readonly dtype?: "half" | "bfloat16";
}

/** A value on its way to the engine. A `bigint` is a handle. */
export type Sent =
  | null
  | undefined
  | boolean
  | number
  | string
  | bigint
  | ArrayBufferView
  | readonly Sent[]
  | { readonly [key: string]: Sent };

/** A value from the engine. A `bigint` is a handle. */
export type Received =
  | null
  | boolean
  | number
  | string
  | bigint
  | TypedTensor
  | readonly Received[]
  | { readonly [key: string]: Received };

/** Which engine runs. */
export type EngineName = "native" | "wasm";

/** How an engine starts. The native one has no choices, and takes these without using them. */
export interface EngineOptions {
  /** Bytes that tensors may take together, up to 4 GiB less 64 KiB; 1 GiB unless told otherwise. */
  readonly memory?: number;
  /** `@stepwell/wasm/stepwell.wasm` as a `WebAssembly.Module`, where the caller has compiled it. */
  readonly module?: object;
}

/** An engine. Its errors carry a stable `code`. */
export interface Binding {
  /** Calls a verb of the k-api. */
  call(verb: string, args: readonly Sent[]): Received;
  /**
   * Makes a step with options; the closure computes the loss and its gradients and returns the loss. It throws nothing:
   * null says that it failed, and ends the step with an error.
   */
  stepWithClosure(optimizer: bigint, closure: () => number | null, options: Sent): number;
  /** Frees everything, and makes the engine what it was at first. True if it is another one now, which had to be made. */
  reset(): boolean;
  /** Resolves when the engine has started. */
  ready(options?: EngineOptions): Promise<void>;
}
