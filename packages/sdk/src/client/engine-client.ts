import type { Binding, BindingArgument, BindingResult, EngineOptions } from "../binding.js";
import { asStepwellError, hasCode, renamed, StepwellError } from "../errors.js";
import { Handle, type ModuleHandle } from "../handle.js";
import { objectText } from "../printing/object.js";
import { handlesIn } from "../values/handles-in.js";
import { namedOptions } from "../values/named-options.js";
import { refuseSurplus } from "../values/refuse.js";
import type { AsynchronousClient, CallGuard, CallList, ClientCalls } from "./call-runner.js";
import { encodeCompact, listGiven, withCopiedLists } from "./compact-arguments.js";
import { encodeArguments, handleOf, idOf, isOfAnotherEngine } from "./encode.js";
import { HandleRegistry } from "./handle-registry.js";
import type { HandleScope } from "./handle-scopes.js";
import { type HostedFunction, HostedFunctions, holders } from "./hosted-functions.js";
import { jsonOf } from "./json-of-object.js";
import { NumberMemory } from "./number-memory.js";
import { toThisRealm } from "./realm.js";
import { Thrown } from "./thrown.js";

/** Commands that keep what they have done when they fail: steps that were made, and gradients that were added. */
const gradual: ReadonlySet<string> = new Set(["backward", "batch", "run", "step"]);

/** Calls an engine: converts handles into ids and ids into handles, and errors into `StepwellError`. */
export class EngineClient implements AsynchronousClient {
  readonly #binding: Binding;
  #registry: HandleRegistry;
  readonly #memory: NumberMemory;
  readonly #functions = new HostedFunctions();
  /** Undefined before the first asynchronous call. */
  #asynchronous: CallList | undefined;
  /** Guards the objects of calls in turns of the event loop; undefined while there is no such call. */
  #guard: CallGuard | undefined;
  /** The number of closures of steps that are running. */
  #closures = 0;
  /** The modes of the passes whose functions are running, the innermost last: whether they train. */
  readonly #passes: boolean[] = [];
  /** Indices of operations, by name. */
  readonly #operations = new Map<string, number>();

  constructor(binding: Binding) {
    this.#binding = binding;
    this.#registry = this.#newRegistry();
    this.#memory = new NumberMemory(binding, () => this.#registry.freeForgotten() || this.#registry.collect());
  }

  /** Calls a command of the session. Messages name the function `name`, if the command has another name. */
  call(command: string, args: readonly unknown[], name = command): unknown {
    let result: BindingResult;
    // Reading arguments runs code of the caller, such as getters, whose exceptions are not errors of the engine.
    const encoded = encodeArguments(this.#registry, name, args, this.#memory.allocate);
    try {
      result = this.#callBinding(command, encoded);
    } catch (error) {
      if (error instanceof Thrown) throw error.error;
      throw renamed(this.#error(error, args), command, name);
    }
    this.#memory.reclaim(encoded);
    const decoded = this.#decode(result);
    if (this.#functions.areUsed) this.#holdArguments(command, args, decoded);
    return decoded;
  }

  /**
   * The asynchronous calls. The caller brings their code, so that a page which makes none has no bytes of them.
   */
  asynchronous(make: (engine: ClientCalls) => CallList): CallList {
    this.#asynchronous ??= make({
      binding: this.#binding,
      isInFunction: () => this.#closures > 0 || this.#passes.length > 0,
      encode: (name, args) => encodeArguments(this.#registry, name, args, this.#memory.allocate),
      decode: (result, encoded) => {
        if (encoded) this.#memory.reclaim(encoded);
        return this.#decode(result);
      },
      errorOf: (error, args, command, name) =>
        error instanceof Thrown ? error : renamed(this.#error(error, args), command, name),
      run: (command, encoded) => this.#callFreely(command, encoded),
      setGuard: (guard) => {
        this.#guard = guard;
      },
    });
    return this.#asynchronous;
  }

  /** The arguments of a call as the engine takes them. A handle is its id. */
  encode(name: string, args: readonly unknown[]): readonly BindingArgument[] {
    return encodeArguments(this.#registry, name, args, this.#memory.allocate);
  }

  /** Calls a command with encoded arguments, and returns the result with ids in the place of handles. */
  callEncoded(command: string, encoded: readonly BindingArgument[]): BindingResult {
    try {
      return toThisRealm(this.#callBinding(command, encoded));
    } catch (error) {
      throw this.#error(error, []);
    }
  }

  /** Handles of objects that were made of arguments, by their ids. */
  handlesOf(ids: readonly bigint[], args: readonly unknown[]): readonly object[] {
    const handles = ids.map((id) => this.#registry.handle(Number(id)));
    if (this.#functions.areUsed) this.#holdArguments("deserialize", args, handles);
    return handles;
  }

  /** Whether the engine has files, and takes their bytes. */
  get hasFiles(): boolean {
    return this.#binding.hasFiles === true;
  }

  /** Whether the engine has a thread for asynchronous calls. */
  get hasThread(): boolean {
    return this.#binding.start !== undefined;
  }

  /** Whether the pass trains whose function is running; true outside of all passes. */
  get isTraining(): boolean {
    return this.#passes.at(-1) ?? true;
  }

  /** The number of passes whose functions are running. */
  get passes(): number {
    return this.#passes.length;
  }

  /** The number of a function. The caller holds the function. */
  host(hosted: HostedFunction): number {
    return this.#functions.add(hosted);
  }

  /** Applies a function with a backward of its own to tensors. Both functions have numbers. */
  applyWithBackward(forward: number, backward: number, hosted: HostedFunction, inputs: readonly unknown[]): unknown {
    const output = this.call("gradient", [forward, backward, ...inputs]);
    this.#functions.holdForGraph(backward, hosted, () => this.call("graphfunctions", []) as readonly number[]);
    return output;
  }

  /** Makes a module of a function. `members` and `buffers` as the command `callback` has them. Returns the names of its parameters too. */
  makeCallback(
    hosted: HostedFunction,
    name: string,
    members: readonly (readonly [name: string, value: unknown])[],
    buffers: readonly string[],
  ): readonly [module: ModuleHandle, parameters: readonly string[]] {
    const { where } = hosted;
    const number = this.#functions.add(hosted);
    const args = [number, name, members, buffers];
    const encoded = encodeArguments(this.#registry, where, args, this.#memory.allocate);
    let made: readonly [bigint, readonly string[]];
    try {
      made = this.#callBinding("callback", encoded) as unknown as typeof made;
    } catch (error) {
      throw renamed(this.#error(error, args), "callback", where);
    }
    const module = this.#registry.handle(Number(made[0])) as ModuleHandle;
    Handle.hold(module, [hosted, ...holders(handlesIn(members, where), Handle.kindOf)]);
    return [module, made[1]];
  }

  /** A copy of a module, and handles of the members of own modules in it, which belong to no scope. A copy that fails leaves no object. */
  copyModule(args: readonly unknown[]): readonly [copy: ModuleHandle, members: readonly Handle[]] {
    if (!this.#functions.areUsed) return [this.call("clone", args) as ModuleHandle, []];
    const scope = this.openScope();
    try {
      const copy = this.call("clone", args) as ModuleHandle;
      const parts = new Set<Handle>([copy, ...this.#bindCopies(copy)]);
      const members = scope.handles().filter((handle) => !parts.has(handle));
      this.keep(parts, scope);
      this.keep(members);
      return [copy, members];
    } finally {
      this.closeScope(scope);
    }
  }

  /** Gives each function of a copied module a function of its own, if it needs one. Returns handles of the modules with such functions. */
  #bindCopies(module: ModuleHandle): readonly Handle[] {
    const parts: Handle[] = [];
    const rows = this.call("callbacks", [module]) as readonly (readonly [name: string, number: number])[];
    const copies = new Map<HostedFunction, HostedFunction>();
    // Modules within others come later, and are copied first.
    for (const [name, number] of [...rows].reverse()) {
      const original = this.#functions.get(number);
      if (original?.copy === undefined || copies.has(original)) continue;
      const part = name === "" ? module : (this.call("child", [module, name]) as ModuleHandle);
      parts.push(part);
      const copy = original.copy(part, copies);
      copies.set(original, copy);
      this.call("bindcallback", [part, this.#functions.add(copy)]);
      Handle.hold(part, [copy]);
      Handle.hold(module, [copy]);
    }
    return parts;
  }

  /** Calls an operation of the table of tensor mathematics. */
  operate(name: string, given: readonly unknown[]): unknown {
    if (this.#guard) return this.call(name, given);
    const index = this.#operations.get(name) ?? this.#findOperation(name, given);
    if (index < 0) return this.call(name, given);
    let args = given;
    let length = encodeCompact(this.#registry, args, this.#binding.compactMemory());
    if (length === listGiven) {
      args = withCopiedLists(given);
      length = encodeCompact(this.#registry, args, this.#binding.compactMemory());
    }
    if (length < 0) return this.call(name, args);
    let id: number;
    try {
      id = this.#binding.callCompact(index, length);
    } catch (error) {
      // Calls once more after memory was freed.
      if (hasCode(error, "ERR_MEMORY")) return this.call(name, args);
      throw this.#error(error, args);
    }
    return this.#registry.handle(id);
  }

  /** The index of an operation that {@link operate} calls with few numbers; -1 if there is none. */
  #findOperation(name: string, args: readonly unknown[]): number {
    try {
      const index = this.#binding.operationIndex(name) ?? -1;
      this.#operations.set(name, index);
      return index;
    } catch (error) {
      throw this.#error(error, args);
    }
  }

  /** Frees objects; without arguments, all objects. */
  free(handles: readonly unknown[]): void {
    this.call("free", handles);
    if (handles.length === 0) this.#registry.freedAll();
    for (const handle of handles) this.#registry.freed(handleOf(handle) as Handle);
  }

  /** Opens a scope, which collects the handles that are made from now on. */
  openScope(): HandleScope {
    return this.#registry.scopes.open();
  }

  /** Frees the objects of a scope. */
  closeScope(scope: HandleScope): void {
    this.#registry.close(scope);
  }

  /** Takes handles out of a scope, or out of all scopes. */
  keep(handles: Iterable<Handle>, scope?: HandleScope): void {
    const { scopes } = this.#registry;
    for (const handle of handles) scope === undefined ? scopes.keep(handle) : scopes.moveOut(handle, scope);
  }

  /** Adds the objects of handles without a scope to the innermost scope. */
  adopt(handles: Iterable<Handle>): void {
    this.#registry.scopes.adopt(handles);
  }

  /** Calls a function whose new objects belong to no scope, since an object of the caller holds them. */
  withoutScope<Result>(make: () => Result): Result {
    return this.#registry.scopes.within(undefined, make);
  }

  /** The innermost scope that collects; undefined if there is none. */
  get innermostScope(): HandleScope | undefined {
    return this.#registry.scopes.innermost;
  }

  /** Calls a function whose new objects belong to a scope, or to none if that one does not collect any more. */
  withinScope<Result>(scope: HandleScope | undefined, make: () => Result): Result {
    return this.#registry.scopes.within(scope, make);
  }

  /** Begins or ends to record where objects are made. */
  trace(flag: boolean): void {
    this.#registry.trace(flag);
  }

  /** Where objects were made, by id, as far as it was recorded. */
  placesOf(ids: readonly number[]): ReadonlyMap<number, string> {
    return this.#registry.placesOf(ids);
  }

  /** Makes the first handle stand for the object of the second one, whose handle is freed. */
  use(args: readonly unknown[]): void {
    this.call("use", args);
    this.#registry.freed(handleOf(args[1]) as Handle);
  }

  /**
   * Makes a step with a closure that returns the loss. An exception of the closure arrives as it was thrown: it is kept here,
   * and the binding learns only that there is no loss. The binding never reads it, since that would run code of the caller.
   */
  stepWithClosure(optimizer: unknown, closure: () => number, options: unknown): number {
    let thrown: { readonly error: unknown } | undefined;
    const guarded = () => {
      this.#closures += 1;
      try {
        return closure();
      } catch (error) {
        thrown = { error };
        return null;
      } finally {
        this.#closures -= 1;
      }
    };
    const [encoded] = encodeArguments(this.#registry, "step", [options], this.#memory.allocate, 3);
    try {
      this.#guard?.check("step", [idOf(this.#registry, optimizer)]);
      return this.#binding.stepWithClosure(idOf(this.#registry, optimizer), guarded, encoded);
    } catch (error) {
      throw thrown ? thrown.error : this.#error(error, [optimizer]);
    }
  }

  /** Frees every object and restores the initial state of the engine. */
  reset(surplus: readonly unknown[]): void {
    refuseSurplus("reset", surplus);
    let isAnother: boolean;
    try {
      isAnother = this.#binding.reset();
    } catch (error) {
      throw asStepwellError(error);
    }
    this.#asynchronous?.endAll();
    this.#registry.freedAll();
    // Handles of the former engine mean nothing to another one.
    if (isAnother) this.#registry = this.#newRegistry();
  }

  /** Resolves when the engine has started. */
  async ready(options: unknown = {}, ...surplus: readonly unknown[]): Promise<void> {
    refuseSurplus("ready", surplus);
    const given = namedOptions<EngineOptions>("ready", options, ["memory", "module"]);
    try {
      await this.#binding.ready(given);
    } catch (error) {
      throw asStepwellError(error);
    }
  }

  /** The libtorch of the native engine. */
  get libtorch(): Binding["libtorch"] {
    return this.#binding.libtorch;
  }

  /** Calls the binding, unless a call in turns has one of the objects. */
  #callBinding(command: string, encoded: readonly BindingArgument[]): BindingResult {
    const call = () => this.#callFreely(command, encoded);
    return this.#guard ? this.#guard.call(command, encoded, call) : call();
  }

  /**
   * Calls the binding. If memory is short it frees forgotten objects and unused device memory, and calls once more. A gradual command is
   * not called again, since its first steps would be made twice.
   */
  #callFreely(command: string, encoded: readonly BindingArgument[]): BindingResult {
    const call = this.#functions.areCalledBy(command)
      ? () => this.#callHosted(command, encoded)
      : () => this.#binding.call(command, encoded);
    try {
      return call();
    } catch (error) {
      if (!hasCode(error, "ERR_MEMORY")) throw error;
      const freed = this.#registry.freeForgotten() || this.#registry.collect();
      const released = this.#binding.releaseMemory?.() ?? false;
      if (gradual.has(command) || (!freed && !released)) throw error;
      try {
        return call();
      } catch (again) {
        // The first call may have used up a graph, of which the second one says that it is gone.
        throw again instanceof Thrown || hasCode(again, "ERR_MEMORY") ? again : error;
      }
    }
  }

  /** Calls a command that calls functions. An exception of a function is a {@link Thrown}, since the binding reads no exceptions. */
  #callHosted(command: string, encoded: readonly BindingArgument[]): BindingResult {
    let thrown: Thrown | undefined;
    const host = () => {
      try {
        this.#runFunction();
        return 0;
      } catch (error) {
        thrown = new Thrown(error);
        return null;
      }
    };
    try {
      return this.#binding.callHosted(command, encoded, host);
    } catch (error) {
      throw thrown ?? error;
    }
  }

  /** Runs the function that a pass has called, in a scope of its own. */
  #runFunction(): void {
    const call = this.#binding.call("runningcall", []) as unknown as readonly [number, boolean, ...bigint[]];
    const [number, isTraining, ...ids] = call;
    const scope = this.openScope();
    this.#passes.push(isTraining);
    try {
      const hosted = this.#functions.get(number);
      const inputs = ids.map((id) => this.#registry.handle<"tensor">(Number(id)));
      if (hosted === undefined) throw new StepwellError("ERR_HANDLE_FREED", "the function of a module was collected");
      this.call("outputs", hosted.run(inputs), hosted.where);
    } finally {
      this.#passes.pop();
      this.closeScope(scope);
    }
  }

  /** Lets the objects that an object was made of live as long as its handle, since their functions have to. */
  #holdArguments(command: string, args: readonly unknown[], result: unknown): void {
    const results: readonly unknown[] = Array.isArray(result) && result.length < 1024 ? result : [result];
    const objects = [...results, command === "opt" ? args[0] : undefined].map(handleOf);
    for (const object of objects) {
      if (object === undefined || holders([object], Handle.kindOf).length === 0) continue;
      const others = holders(handlesIn(args, command), Handle.kindOf).filter((handle) => handle !== object);
      Handle.hold(object, others);
    }
  }

  #decode(result: BindingResult): unknown {
    if (typeof result === "bigint") return this.#registry.handle(Number(result));
    if (Array.isArray(result) && typeof result[0] === "bigint")
      return result.map((id: bigint) => this.#registry.handle(Number(id)));
    const value = toThisRealm(result) ?? undefined;
    return typeof value === "object" && !ArrayBuffer.isView(value) ? this.#withHandles(value) : value;
  }

  /** A dictionary with handles for the ids among its entries; any other value as it is. */
  #withHandles(value: object): object {
    const entries = Object.entries(value);
    if (!entries.some(([, item]) => typeof item === "bigint")) return value;
    const handles = entries.map(([key, item]) => [
      key,
      typeof item === "bigint" ? this.#registry.handle(Number(item)) : item,
    ]);
    return Object.fromEntries(handles);
  }

  /** An error of a call; if one of its arguments is a handle of another engine, the message says so. */
  #error(error: unknown, args: readonly unknown[]): unknown {
    const known = asStepwellError(error);
    if (!(known instanceof StepwellError) || known.code !== "ERR_HANDLE_INVALID") return known;
    const position = args.findIndex((arg) => isOfAnotherEngine(this.#registry, arg));
    if (position < 0) return known;
    const message = `${known.message}: argument ${position + 1} is of another engine, or of one that reset() has replaced`;
    return new StepwellError(known.code, message);
  }

  #newRegistry(): HandleRegistry {
    const call = (command: string, args: readonly unknown[]) => this.call(command, args);
    const memory = {
      release: (ids: readonly number[]) =>
        this.#binding.release(new Float64Array(this.#guard ? this.#guard.released(ids) : ids)),
      bytes: () => this.#binding.bytes(),
    };
    return new HandleRegistry(memory, {
      textOf: (handle, style) => objectText(call, handle, style),
      jsonOf: (handle) => jsonOf(call, handle),
    });
  }
}
