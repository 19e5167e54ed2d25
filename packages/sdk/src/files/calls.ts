// Calls of an engine with arguments that are encoded already, for one function of the caller, and their errors.

import type { BindingArgument, BindingResult } from "../binding.js";
import { type ErrorCode, StepwellError } from "../errors.js";
import { idsOfKind, type ObjectKind, objectKinds } from "../generated/object-kinds.js";

/** The client of an engine without files. */
export interface EncodedClient {
  /** The arguments of a call as the engine takes them. A handle is its id. */
  encode(name: string, args: readonly unknown[]): readonly BindingArgument[];
  /** Calls the engine. Throws its error as a {@link StepwellError}. */
  callEncoded(command: string, encoded: readonly BindingArgument[]): BindingResult;
  /** Handles of new objects by their ids. They hold what the objects of the arguments hold. */
  handlesOf(ids: readonly bigint[], args: readonly unknown[]): readonly object[];
}

/** A living object: identities of its tensors, and of its optimizer, which is 0 without one. */
export interface Identities {
  readonly tensors: readonly number[];
  readonly optimizer: number;
}

type Row = readonly [id: number, bytes: number, by: string, tensors: readonly number[], optimizer: number];

/** An error without the name of the function, which {@link runCalls} adds. */
export const failure = (code: ErrorCode, message: string): StepwellError => new StepwellError(code, message);

/** The error of a description that has something else than expected. */
export const misfit = (expected: string): StepwellError =>
  failure("ERR_FORMAT", `expected ${expected} in the description of the file`);

/** Runs a function whose errors name an object of the file. */
export function within<Result>(name: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw prefixed(`\`${name}\``, error);
  }
}

/** An error with words before its message, unless it begins with them, as the error of an option does. */
function prefixed(words: string, error: unknown): unknown {
  if (!(error instanceof StepwellError)) return error;
  const { code, message, cause } = error;
  if (message.startsWith(`${words}:`) || message.startsWith(`${words} `)) return error;
  return new StepwellError(code, `${words}: ${message}`, cause === undefined ? undefined : { cause });
}

/** The kind of an object by its id; undefined for an id that no handle has. */
export const kindOf = (id: bigint): ObjectKind | undefined => objectKinds[Math.floor(Number(id) / idsOfKind)];

/**
 * Runs a function of files, whose errors get its name. The objects that it makes are freed at its end, except those that it keeps.
 */
export function runCalls<Result>(client: EncodedClient, name: string, run: (calls: Calls) => Result): Result {
  const calls = new Calls(client);
  try {
    return run(calls);
  } catch (error) {
    throw prefixed(name, error);
  } finally {
    calls.end();
  }
}

/** Calls of one function. The objects that it makes are freed at its end, except those that it keeps. */
export class Calls {
  readonly #client: EncodedClient;
  #made: bigint[] = [];
  readonly #identities = new Map<bigint, Identities>();

  constructor(client: EncodedClient) {
    this.#client = client;
  }

  /** Calls a command. The error of the engine does not have the name of the command. */
  call(command: string, ...args: readonly BindingArgument[]): BindingResult {
    try {
      return this.#client.callEncoded(command, args);
    } catch (error) {
      if (!(error instanceof StepwellError) || !error.message.startsWith(`${command}: `)) throw error;
      throw new StepwellError(error.code, error.message.slice(command.length + 2));
    }
  }

  /** Calls a command that makes an object, and returns its id. */
  make(command: string, ...args: readonly BindingArgument[]): bigint {
    const id = this.call(command, ...args) as bigint;
    this.#made.push(id);
    return id;
  }

  /** Throws while an asynchronous call has the generator of random numbers. */
  requireGenerator(): void {
    this.call("generator");
  }

  /** Handles of the tensors of an object: of a module its parameters, and then its buffers. */
  tensorsOf(id: bigint): readonly bigint[] {
    const ids = this.call("tensors", id) as unknown as readonly bigint[];
    for (const one of ids) this.#made.push(one);
    return ids;
  }

  /** The identities of an object that lives. */
  identitiesOf(id: bigint): Identities {
    const known = this.#identities.get(id);
    if (known) return known;
    for (const [id, , , tensors, optimizer] of this.call("leaks") as unknown as readonly Row[]) {
      this.#identities.set(BigInt(id), { tensors, optimizer });
    }
    return this.#identities.get(id) ?? { tensors: [], optimizer: 0 };
  }

  /** Objects that are not freed, since the caller gets them. */
  keep(ids: readonly bigint[]): void {
    const kept = new Set(ids);
    this.#made = this.#made.filter((id) => !kept.has(id));
  }

  /** Frees the objects that were made. */
  end(): void {
    const ids = this.#made;
    this.#made = [];
    if (ids.length > 0) this.call("release", ...ids);
  }
}
