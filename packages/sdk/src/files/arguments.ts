// Arguments of a call that are encoded, taken one after the other, as the session of an engine takes them.

import type { BindingArgument } from "../binding.js";
import { brief } from "../values/describe.js";
import { failure } from "./calls.js";
import { describeArgument } from "./described.js";

/** A dictionary of an argument. */
export type ArgumentEntries = ReadonlyMap<string, BindingArgument>;

/** The arguments of a call that have not been taken yet. */
export class Arguments {
  readonly #rest: BindingArgument[];
  #position: number;

  /** `position` arguments were taken elsewhere. */
  constructor(args: readonly BindingArgument[], position = 0) {
    this.#rest = [...args];
    this.#position = position;
  }

  /** Whether nothing is left. */
  get isEmpty(): boolean {
    return this.#rest.length === 0;
  }

  /** The next argument. */
  next(): BindingArgument {
    this.#position += 1;
    return this.#rest.shift();
  }

  /** The error of the argument that was taken last. */
  misfit(expected: string, given: BindingArgument) {
    const code = typeof given === "bigint" ? "ERR_HANDLE_KIND" : "ERR_ARGUMENT";
    return failure(code, `expected ${expected} as argument ${this.#position}, given ${describeArgument(given)}`);
  }

  /** The path of a file. */
  path(): string {
    const given = this.next();
    if (typeof given === "string") return given;
    throw this.misfit("a path (a string)", given);
  }

  /** Objects and plain data by name; at least one. */
  objects(): ArgumentEntries {
    const given = this.next();
    const entries = entriesOf(given);
    if (entries && entries.size > 0) return entries;
    throw this.misfit("a dictionary of objects and plain data by name", given);
  }

  /** A dictionary, if there is one. */
  options(): ArgumentEntries {
    const given = this.next();
    const entries = given === undefined ? new Map<string, BindingArgument>() : entriesOf(given);
    if (entries) return entries;
    throw this.misfit("a dictionary of options", given);
  }

  /** Throws if something is left. */
  finish(): void {
    if (this.isEmpty) return;
    const [expected, given] = [this.#position, this.#position + this.#rest.length];
    const another = `with ${describeArgument(this.#rest[0])} as another`;
    throw failure(
      "ERR_ARGUMENT",
      `expected ${expected} argument${expected === 1 ? "" : "s"}, given ${given}, ${another}`,
    );
  }
}

/** The entries of a dictionary, without undefined ones; undefined for any other argument. */
function entriesOf(given: BindingArgument): ArgumentEntries | undefined {
  if (typeof given !== "object" || given === null || Array.isArray(given) || ArrayBuffer.isView(given))
    return undefined;
  return new Map(Object.entries(given).filter(([, value]) => value !== undefined) as [string, BindingArgument][]);
}

/**
 * Options that are booleans, with their defaults. An error has the name of the call before the one of the option. `others` are names of
 * options that were taken before.
 */
export function flags<Name extends string>(
  call: string,
  given: ArgumentEntries,
  defaults: { readonly [name in Name]: boolean },
  others: readonly string[],
): { readonly [name in Name]: boolean } {
  const options: { [name in Name]: boolean } = { ...defaults };
  for (const [name, value] of given) {
    if (!Object.hasOwn(defaults, name)) {
      const known = [...Object.keys(defaults), ...others].join(", ");
      throw failure("ERR_OPTION_UNKNOWN", `${call}: unknown option \`${brief(name)}\`, expected one of ${known}`);
    }
    if (typeof value !== "boolean") {
      const shown = typeof value === "number" ? value : describeArgument(value);
      throw failure("ERR_OPTION_TYPE", `${call} ${name}: expected a boolean, given ${shown}`);
    }
    options[name as Name] = value;
  }
  return options;
}
