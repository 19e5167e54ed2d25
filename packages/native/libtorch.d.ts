/** `${process.platform}-${process.arch}`, the key of the platform tables. */
export const platform: string;

/** A wheel of the Python package index with a part of libtorch. */
export interface Wheel {
  readonly name: string;
  /** The version of the wheel; absent if it is the version of libtorch. */
  readonly version?: string;
  /** The platform tag in the wheel's file name. */
  readonly tag: string;
  readonly size: number;
  readonly sha256: string;
  /** Its licences in the folder `dist-info`; absent if they are in a folder `licenses`. */
  readonly licences?: readonly string[];
  /** The files to unpack; a name that ends in "/" is a folder. */
  readonly files: readonly string[];
}

/** The version of libtorch that Stepwell is built for, and the wheels that contain it. */
export const pinned: {
  readonly version: string;
  /** The Python version of the wheels; the libraries do not depend on it. */
  readonly python: { readonly version: string; readonly abi: string };
  readonly platforms: Readonly<Record<string, readonly Wheel[]>>;
};

/** A libtorch on this machine. */
export interface Libtorch {
  /** The folder with lib/ and include/. */
  readonly path: string;
  /** The full version, such as "2.11.0+cpu". */
  readonly version: string;
  readonly source: "LIBTORCH" | "package" | "cache" | "python";
}

/** The file by which processes exchange tensors of GPUs. */
export const nccl: string;

/** The path of a library of libtorch, such as "torch_cpu". */
export function libraryPath(libtorch: string, name: string): string;

/** An Error with a stable code, by which callers distinguish failures. */
export function failure(code: string, message: string): Error & { readonly code: string };

/** A file or folder in the cache of this user. */
export function userFolder(name: string, env?: NodeJS.ProcessEnv): string;

/** The folder of the fetched libtorch. */
export function cacheFolder(env?: NodeJS.ProcessEnv): string;

/**
 * Finds libtorch in the order LIBTORCH, package @stepwell/libtorch, cache, Python's torch; with `headers`, one that can be built against.
 * Throws an Error with code ERR_LIBTORCH_NOT_FOUND or ERR_LIBTORCH_VERSION.
 */
export function findLibtorch(options?: { env?: NodeJS.ProcessEnv; headers?: boolean }): Libtorch;

/** The reason why the folder cannot be used as libtorch; undefined if it can. */
export function libtorchFault(
  path: string,
  headers: boolean,
): { readonly code: string; readonly text: string } | undefined;
