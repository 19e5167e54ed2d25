/** A file of a Python package, which pip downloads. */
export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly tag: string;
  /** In bytes. */
  readonly size: number;
  readonly sha256: string;
  /** The files that are unpacked. A name that ends in "/" is a folder. */
  readonly files: readonly string[];
}

/** Downloads wheels with pip, one after the other, unless the folder has them already. `what` is the name for messages. */
export function downloadWheels(
  folder: string,
  wheels: readonly Wheel[],
  what: string,
  output?: NodeJS.WritableStream,
): Promise<void>;
/** Unpacks the needed files of the downloaded wheels into `tree`, after comparing the SHA-256 of each wheel with the table. */
export function unpackWheels(folder: string, tree: string, wheels: readonly Wheel[]): Promise<void>;
