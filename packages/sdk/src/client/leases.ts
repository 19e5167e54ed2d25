// The objects that calls in turns of the event loop have, on an engine without a thread. A call that names one is `ERR_BUSY`.

import type { BindingArgument, BindingResult } from "../binding.js";
import { type ErrorCode, StepwellError } from "../errors.js";
import { drawingCommands } from "../generated/drawing.js";
import { idsOfKind, objectKinds } from "../generated/object-kinds.js";
import type { CallGuard, ClientCalls } from "./call-runner.js";
import { mayDraw } from "./drawing.js";

/** A living object, as the command `leaks` has it: with the identities of its tensors. */
type Row = readonly [id: number, bytes: number, by: string, identities: readonly number[]];

/** The definition of an optimizer, as far as it has the identities of its tensors. */
interface Definition {
  readonly parms: readonly { readonly pointer: number }[];
}

/** The objects of a call. */
interface Lease {
  readonly ids: readonly number[];
  /** Identities of tensors. */
  readonly shared: ReadonlySet<number>;
  readonly draws: boolean;
}

/** Functions that give a tensor of samples, which a call may have from another model. */
const givingSamples = new Set(["input", "target", "testinput", "testtarget"]);

/** The objects of all calls in turns. */
export class Leases implements CallGuard {
  readonly #engine: ClientCalls;
  /** The leases of calls, by their numbers. */
  readonly #leases = new Map<number, Lease>();
  /** Objects that a call has, and whether their handles were freed. */
  readonly #lent = new Map<number, boolean>();
  /** The engine is called by a call in its turn, which has its objects. */
  #isOpen = false;

  constructor(engine: ClientCalls) {
    this.#engine = engine;
  }

  /** Gives a call the objects of its arguments, and those that share tensors or an optimizer with them. */
  lend(number: number, command: string, encoded: readonly BindingArgument[]): void {
    const given = idsIn(encoded);
    this.check(command, given);
    for (const id of given) this.#checkLives(command, id);
    const rows = this.#rows().flatMap((row) => (this.#lent.has(row[0]) ? [] : [this.#withOptimizer(row)]));
    const { ids, shared } = related(rows, given.map(Number), this.#samples(given));
    const draws = mayDraw(this.#engine.run, command, encoded);
    for (const id of ids) this.#lent.set(id, false);
    this.#leases.set(number, { ids, shared, draws });
    this.#engine.setGuard(this);
  }

  /** Ends a lease, and frees the objects whose handles were freed. */
  giveBack(number: number): void {
    const ids = this.#leases.get(number)?.ids ?? [];
    const freed = ids.filter((id) => this.#lent.get(id));
    for (const id of ids) this.#lent.delete(id);
    this.#leases.delete(number);
    if (this.#leases.size === 0) this.#engine.setGuard(undefined);
    try {
      if (freed.length > 0) this.#engine.binding.release(new Float64Array(freed));
    } catch {
      // The engine has stopped, and all objects are lost.
    }
  }

  /** Forgets all leases, whose objects were freed. */
  clear(): void {
    this.#leases.clear();
    this.#lent.clear();
    this.#engine.setGuard(undefined);
  }

  /** Runs a part of a call, which has its objects. */
  without<Result>(run: () => Result): Result {
    const before = this.#isOpen;
    this.#isOpen = true;
    try {
      return run();
    } finally {
      this.#isOpen = before;
    }
  }

  check(command: string, ids: readonly bigint[]): void {
    if (this.#isOpen) return;
    for (const id of ids) this.#checkNotLent(command, Number(id));
  }

  released(ids: readonly number[]): readonly number[] {
    for (const id of ids) if (this.#lent.has(id)) this.#lent.set(id, true);
    return ids.filter((id) => !this.#lent.has(id));
  }

  call(command: string, encoded: readonly BindingArgument[], run: () => BindingResult): BindingResult {
    if (this.#isOpen) return run();
    switch (command) {
      case "free":
        return this.#free(idsIn(encoded).map(Number), run);
      case "handlecount":
        return (run() as number) - [...this.#lent.values()].filter(Boolean).length;
      case "leaks":
        return (run() as unknown as readonly Row[]).filter(([id]) => !this.#lent.get(id)) as unknown as BindingResult;
      case "reset":
        return run();
    }
    this.check(command, idsIn(encoded));
    if (![...this.#leases.values()].some(({ draws }) => draws)) return this.#keptSamples(command, run());
    if (drawingCommands.includes(command) || mayDraw(this.#engine.run, command, encoded)) throw drawn(command);
    const before = this.#generator();
    const result = this.#keptSamples(command, run());
    const after = this.#generator();
    if (before.every((word, i) => word === after[i])) return result;
    this.#discard(result);
    this.#engine.run("generator", [before]);
    throw drawn(command);
  }

  /** Frees objects; an object of a call at the end of the call. */
  #free(ids: readonly number[], run: () => BindingResult): BindingResult {
    const own = ids.filter((id) => this.#lent.has(id));
    for (const id of own) if (this.#lent.get(id)) this.#checkNotLent("free", id);
    if (own.length < new Set(own).size || new Set(ids).size < ids.length) {
      throw new StepwellError("ERR_HANDLE_FREED", "free: the same handle is given twice");
    }
    if (ids.length > 0 && own.length === 0) return run();
    const all = ids.length === 0;
    const others = (all ? this.#rows().map(([id]) => id) : ids).filter((id) => !this.#lent.has(id));
    if (others.length > 0) this.#engine.run("free", others.map(BigInt));
    for (const id of all ? this.#lent.keys() : own) this.#lent.set(id, true);
    return null;
  }

  #checkNotLent(command: string, id: number): void {
    const isFreed = this.#lent.get(id);
    if (isFreed === undefined) return;
    const kind = kindOf(id);
    const of = `an asynchronous call that is not over uses this ${kind}, or an object that shares tensors with it`;
    const [code, message]: readonly [ErrorCode, string] = isFreed
      ? ["ERR_HANDLE_FREED", `this ${kind} was freed`]
      : ["ERR_BUSY", of];
    throw new StepwellError(code, `${command}: ${message}`);
  }

  /** Throws the error of the engine unless an object lives. */
  #checkLives(command: string, id: bigint): void {
    try {
      this.#engine.run("class", [id]);
    } catch (error) {
      throw this.#engine.errorOf(error, [], "class", command);
    }
  }

  /** The result of a call, unless it is a tensor that another call has. */
  #keptSamples(command: string, result: BindingResult): BindingResult {
    if (typeof result !== "bigint" || !givingSamples.has(command)) return result;
    const identities = this.#identitiesOf(result);
    const isLent = [...this.#leases.values()].some(({ shared }) => identities.some((one) => shared.has(one)));
    if (!isLent) return result;
    this.#discard(result);
    throw new StepwellError("ERR_BUSY", `${command}: an asynchronous call that is not over uses this tensor`);
  }

  /** The row of an object with the tensors of its optimizer. */
  #withOptimizer(row: Row): Row {
    const [id, bytes, by, identities] = row;
    const kind = kindOf(id);
    if (kind !== "optimizer" && kind !== "model") return row;
    const outline = this.#engine.run("outline", [BigInt(id)]) as readonly unknown[];
    const [{ parms }] = (kind === "model" ? outline[2] : outline) as readonly [Definition];
    return [id, bytes, by, [...identities, ...parms.map(({ pointer }) => pointer)]];
  }

  /** Identities of the samples of models. */
  #samples(given: readonly bigint[]): readonly number[] {
    const models = given.filter((id) => kindOf(Number(id)) === "model");
    return models.flatMap((model) => [...givingSamples].flatMap((command) => this.#sample(command, model)));
  }

  #sample(command: string, model: bigint): readonly number[] {
    let tensor: BindingResult;
    try {
      tensor = this.#engine.run(command, [model]);
    } catch {
      // It has no samples.
      return [];
    }
    try {
      return this.#identitiesOf(tensor);
    } finally {
      this.#discard(tensor);
    }
  }

  #identitiesOf(tensor: BindingResult): readonly number[] {
    return this.#rows().find(([id]) => id === Number(tensor))?.[3] ?? [];
  }

  #discard(result: BindingResult): void {
    this.#engine.binding.release(new Float64Array(idsIn([result as BindingArgument]).map(Number)));
  }

  #rows(): readonly Row[] {
    return this.#engine.run("leaks", []) as unknown as readonly Row[];
  }

  #generator(): Float64Array {
    return (this.#engine.run("generator", []) as { readonly data: Float64Array }).data;
  }
}

/**
 * The objects that a call has: the given ones, and modules, optimizers and models that share something with one of them. The tensors of
 * all these objects belong to them. Samples are only read, so that two models may train on one tensor.
 */
function related(
  rows: readonly Row[],
  given: readonly number[],
  samples: readonly number[],
): { ids: number[]; shared: Set<number> } {
  const ids = new Set(given);
  const own = rows.filter(([id]) => ids.has(id));
  const shared = new Set(own.flatMap(([, , , identities]) => identities));
  const holders = rows.filter(([id]) => !ids.has(id) && !isOfTensors(id));
  for (let isNew = true; isNew; ) {
    isNew = false;
    for (const [id, , , identities] of holders) {
      if (ids.has(id) || !identities.some((one) => shared.has(one))) continue;
      ids.add(id);
      for (const one of identities) shared.add(one);
      isNew = true;
    }
  }
  for (const one of samples) shared.add(one);
  for (const [id, , , identities] of rows) {
    if (isOfTensors(id) && identities.some((one) => shared.has(one))) ids.add(id);
  }
  return { ids: [...ids], shared };
}

/** Whether an object is a tensor, a vector or a dictionary. */
const isOfTensors = (id: number) => ["tensor", "vector", "dictionary"].includes(kindOf(id));

const kindOf = (id: number) => objectKinds[Math.floor(id / idsOfKind)] ?? "tensor";

/** The handles in arguments, at any depth. */
function idsIn(value: BindingArgument | readonly BindingArgument[]): readonly bigint[] {
  if (typeof value === "bigint") return [value];
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  return Object.values(value).flatMap((item) => idsIn(item as BindingArgument));
}

const drawn = (command: string) =>
  new StepwellError(
    "ERR_BUSY",
    `${command}: an asynchronous call that is not over has the generator of random numbers`,
  );
