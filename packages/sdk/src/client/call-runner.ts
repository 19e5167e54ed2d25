// Asynchronous calls, as the client of an engine and the calls see each other.

import type { Binding, BindingArgument, BindingResult } from "../binding.js";

/** Guards the other calls while asynchronous calls have objects. */
export interface CallGuard {
  /** Makes a call unless it names an object that is lent, or needs random numbers that are. */
  call(command: string, encoded: readonly BindingArgument[], run: () => BindingResult): BindingResult;
  /** Throws if a call that names these objects is not to be made. */
  check(command: string, ids: readonly bigint[]): void;
  /** The forgotten objects that can be freed now. The others are freed when their call is over. */
  released(ids: readonly number[]): readonly number[];
}

/** The client of an engine, as asynchronous calls need it. */
export interface ClientCalls {
  readonly binding: Binding;
  /** Whether a function of the program runs, which a step or a pass has called. */
  isInFunction(): boolean;
  /** The arguments of a call as the engine takes them. */
  encode(name: string, args: readonly unknown[]): readonly BindingArgument[];
  /** The result of a call, whose arguments are not used any more, if they are given. */
  decode(result: BindingResult, encoded?: readonly BindingArgument[]): unknown;
  /** An exception of a call as the program gets it; a {@link Thrown} as it is. */
  errorOf(error: unknown, args: readonly unknown[], command: string, name: string): unknown;
  /** Calls the engine without a look at the guard. */
  run(command: string, encoded: readonly BindingArgument[]): BindingResult;
  /** Sets what guards the other calls; undefined for nothing. */
  setGuard(guard: CallGuard | undefined): void;
}

/** An event of a call: its end, or the figures of a batch. */
export type CallEvent =
  | { readonly number: number; readonly report: BindingResult }
  | { readonly number: number; readonly isStopped: boolean; readonly result: BindingResult }
  | { readonly number: number; readonly error: unknown };

/** How a call runs. */
export interface RunOptions {
  /** Whether there are events of its batches. */
  readonly reports: boolean;
  /** Makes the call where the engine has no such command. */
  readonly run: ((encoded: readonly BindingArgument[]) => unknown) | undefined;
}

/** Runs calls, one after the other. */
export interface CallRunner {
  /** Starts a call, and returns its number. Throws if it cannot start. */
  start(command: string, encoded: readonly BindingArgument[], how: RunOptions): number;
  /** Stops a call after its present batch. */
  stop(number: number): void;
  /** Forgets all calls, whose objects were freed. */
  forget(): void;
}

/** Options of an asynchronous call. */
export interface CallOptions {
  /** Stops it after the present batch. */
  readonly signal?: AbortSignal | undefined;
  /** Takes the figures of each batch. */
  readonly onBatch?: ((report: never) => void) | undefined;
  /** The name of the call in messages. Default: the command. */
  readonly name?: string;
  /** Makes the call in its turn, on an engine without a thread that has no such command. */
  readonly run?: (encoded: readonly BindingArgument[]) => unknown;
}

/** The asynchronous calls of an engine. */
export interface CallList {
  /** Starts a call, and resolves with its result. */
  call(command: string, args: readonly unknown[], options: CallOptions): Promise<unknown>;
  /** Stops all calls, whose objects were freed, and rejects their promises. */
  endAll(): void;
}

/** A client that makes its list of asynchronous calls when there is one. */
export interface AsynchronousClient {
  /** The list, which `make` makes the first time. */
  asynchronous(make: (engine: ClientCalls) => CallList): CallList;
}
