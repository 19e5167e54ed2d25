/** `${process.platform}-${process.arch}`, the key of the platform tables. */
export const platform: string;

/** One wheel of the Python package index that holds a part of libtorch. */
export interface Wheel {
  readonly name: string;
  /** Absent where it is libtorch's own version. */
  readonly version?: string;
  /** The platform tag in the wheel's file name. */
  readonly tag: string;
  readonly size: number;
  readonly sha256: string;
  /** What is unpacked; a name that ends in "/" is a folder. */
  readonly files: readonly string[];
}

/** The libtorch that Stepwell is built for, and the wheels that hold it. */
export const pinned: {
  readonly version: string;
  /** The Python whose wheels are taken; the libraries do not depend on it. */
  readonly python: { readonly version: string; readonly abi: string };
  readonly platforms: Readonly<Record<string, readonly Wheel[]>>;
};

/** The names under which Python 3 is asked for, the likelier first. */
export const pythons: readonly string[];

/** A libtorch on this machine. */
export interface Libtorch {
  /** The folder that holds lib/ and include/. */
  readonly path: string;
  /** Its full version, "2.11.0+cpu" for example. */
  readonly version: string;
  readonly source: "LIBTORCH" | "python" | "cache";
}

/** The path of one of libtorch's libraries, "torch_cpu" for example. */
export function libraryPath(libtorch: string, name: string): string;

/** An Error that carries the stable code by which callers tell failures apart. */
export function failure(code: string, message: string): Error & { readonly code: string };

/** The folder of this user for something that Stepwell keeps. */
export function userFolder(name: string, env?: NodeJS.ProcessEnv): string;

/** The folder of this user that keeps the fetched libtorch. */
export function cacheFolder(env?: NodeJS.ProcessEnv): string;

/**
 * Finds libtorch in the order LIBTORCH, Python's torch, cache; with `headers`, one that can be built against.
 * Throws an Error with code ERR_LIBTORCH_NOT_FOUND or ERR_LIBTORCH_VERSION.
 */
export function findLibtorch(options?: { env?: NodeJS.ProcessEnv; headers?: boolean }): Libtorch;

/** Why the folder cannot serve as libtorch, or undefined when it can. */
export function flawOf(path: string, headers: boolean): { readonly code: string; readonly text: string } | undefined;
