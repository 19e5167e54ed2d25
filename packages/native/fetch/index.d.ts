/** Where the fetch of libtorch says what it does. */
export interface FetchOptions {
  /** Gets a line for each part. Default: `console.error`. */
  readonly log?: (line: string) => void;
  /** The stream for the progress: a redrawn line on a terminal, else a line every 5 seconds. Default: standard error. */
  readonly output?: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/**
 * Fetches the pinned libtorch into the cache of this user by Python's pip or uv, unless the cache has it. Returns its folder. Rejects
 * with an Error with code ERR_LIBTORCH_FETCH, and leaves the cache as it was.
 */
export function fetchLibtorch(options?: FetchOptions): Promise<string>;

/** The reason why libtorch cannot be fetched on this machine, as a sentence; undefined if it can. */
export function fetchProblem(): string | undefined;
