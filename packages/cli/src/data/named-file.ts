// A file with the argument that names it, for messages.

/** A file that a command reads or writes. */
export interface NamedFile {
  /** As the help of the command has it: `--report`, or `<data>`. */
  readonly argument: string;
  readonly path: string;
}
