/** A program that starts a Python with pip. */
export interface PythonClient {
  readonly name: "pip" | "uv";
  readonly command: string;
  readonly args: readonly string[];
  /** Of pip. */
  readonly version: string;
}

/** A Python of the PATH with pip, or one of uv. A Python that takes longer than `limit`, in milliseconds, has hung. */
export function pipClient(env?: NodeJS.ProcessEnv, limit?: number): PythonClient | undefined;
