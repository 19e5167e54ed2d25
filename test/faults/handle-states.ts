// F8: every function that takes a handle, with a freed, forged, foreign or leased one in its place.
//
// Random sequences make calls that succeed. Before the first such call of a function with a handle at a place, the same call is made
// with each wrong handle there.

import { createRequire } from "node:module";
import { setImmediate } from "node:timers/promises";
import * as k from "@stepwell/sdk";
import { functions } from "../random-operations/functions.js";
import { runSequence } from "../random-operations/sequence.js";
import { noCounts } from "../random-operations/world.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

type Call = (...args: readonly unknown[]) => unknown;

/** Freed handles by their kind. */
function freedHandles(): ReadonlyMap<string, unknown> {
  const parameter = k.tensor([1, 2], "grad");
  const net = k.module(["linear", 1, 1]);
  const parts = [net, k.loss("mse"), k.opt("sgd", net)] as const;
  const all = [k.tensor([1]), k.vector([1], [2]), k.dict({ a: [1] }), parameter, k.model(...parts), ...parts];
  const byKind = new Map(all.map((handle) => [k.classof(handle), handle]));
  k.free(...all);
  return byKind;
}

/** Functions and the states of handles that they take: they pass a value on without a look at its objects, or end any handle. */
const taken: Readonly<Record<string, readonly string[]>> = {
  seq: ["freed", "forged", "foreign", "leased"],
  keep: ["freed", "foreign", "leased"],
  free: ["leased"],
};
const invalid = ["ERR_HANDLE_INVALID", "ERR_HANDLE_KIND", "ERR_ARGUMENT", "ERR_OPTION_TYPE", "ERR_DTYPE"];

/** A handle that no call may use, in the place of another one, and the codes that are right for it. */
interface Wrong {
  readonly state: string;
  /** Undefined if there is none of this kind. */
  readonly instead: (handle: k.AnyHandle) => unknown;
  readonly codes: readonly string[];
  /** Frees what `instead` has made. */
  readonly release?: () => void;
}

/** Objects by their kind that a step on the engine's thread has. They go back in a later turn of the event loop. */
function leasedHandles(): ReadonlyMap<string, k.AnyHandle> {
  const [numbers, loss] = [k.generator(), k.loss("mse")];
  const net = k.module(["linear", 1, 1]);
  k.generator(numbers);
  const optimizer = k.opt("sgd", net);
  const model = k.model(net, loss, optimizer);
  k.free(loss);
  const weight = k.parm(net, "weight");
  const [vector, dictionary] = [k.vector(weight), k.dict({ weight })];
  k.stepAsync(optimizer).catch(() => {});
  return new Map(Object.entries({ module: net, optimizer, model, tensor: weight, vector, dictionary }));
}

/** Handles of a job, which are made where they are needed. Within a closure no job begins, and there are none. */
class Leased implements Wrong {
  readonly state = "leased";
  readonly codes = ["ERR_BUSY"];
  #handles: ReadonlyMap<string, k.AnyHandle> | undefined;

  instead(handle: k.AnyHandle): unknown {
    this.#handles ??= leasedHandles();
    const leased = this.#handles.get(k.classof(handle));
    return leased && codeOf(() => k.classof(leased)) === "ERR_BUSY" ? leased : undefined;
  }

  release(): void {
    if (this.#handles) k.free(...this.#handles.values());
    this.#handles = undefined;
  }
}

function wrongHandles(): readonly Wrong[] {
  const freed = freedHandles();
  const [forged, other] = [Object.create(k.Handle.prototype), foreign()];
  return [
    { state: "freed", instead: (handle) => freed.get(k.classof(handle)), codes: ["ERR_HANDLE_FREED"] },
    { state: "forged", instead: () => forged, codes: invalid },
    { state: "foreign", instead: () => other, codes: ["ERR_HANDLE_INVALID", "ERR_HANDLE_KIND"] },
    ...(k.engineInfo.engine === "native" ? [new Leased()] : []),
  ];
}

/** A tensor of a copy of the SDK with another engine. */
function foreign(): unknown {
  const require = createRequire(import.meta.url);
  const path = require.resolve("@stepwell/sdk/wasm");
  const other = require(path) as typeof k;
  return other.tensor([1, 2]);
}

/** The arguments with another handle in a place. */
interface Replacement {
  readonly place: string;
  readonly handle: k.AnyHandle;
  readonly withOther: (other: unknown) => readonly unknown[];
}

/** The handles of arguments: an argument, or the first of a list or an object. */
function* handlesIn(args: readonly unknown[]): Generator<Replacement> {
  for (const [i, argument] of args.entries()) {
    const replaced = (value: unknown) => args.map((other, j) => (j === i ? value : other));
    if (argument instanceof k.Handle) yield { place: `${i}`, handle: argument, withOther: replaced };
    else if (Array.isArray(argument) && argument.length < 100) {
      const at = argument.findIndex((item) => item instanceof k.Handle);
      if (at < 0) continue;
      yield { place: `${i}[]`, handle: argument[at], withOther: (other) => replaced(argument.with(at, other)) };
    } else if (
      typeof argument === "object" &&
      argument !== null &&
      Object.getPrototypeOf(argument) === Object.prototype
    ) {
      const [key, handle] = Object.entries(argument).find(([, value]) => value instanceof k.Handle) ?? [];
      if (key === undefined) continue;
      yield { place: `${i}.${key}`, handle, withOther: (other) => replaced({ ...argument, [key]: other }) };
    }
  }
}

/** As {@link handlesIn}; none of arguments that cannot be read. */
function placesOf(args: readonly unknown[]): readonly Replacement[] {
  try {
    return [...handlesIn(args)];
  } catch {
    return [];
  }
}

/** The handle of a state in the place of another one; undefined if there is none, or if the other one is wrong itself. */
function insteadOf(wrong: Wrong, handle: k.AnyHandle): unknown {
  try {
    return wrong.instead(handle);
  } catch {
    return undefined;
  }
}

function codeOf(call: () => unknown): string {
  try {
    const result = call();
    if (result instanceof Promise) result.catch(() => {});
    return "success";
  } catch (error) {
    return error instanceof k.StepwellError ? error.code : String(error);
  }
}

async function matrix({ folder, scale, seed, isOver }: Context, planted?: string): Promise<Outcome> {
  const tally = new Tally();
  const seen = new Set<string>();
  const entered = new Set<string>();
  const wrong = wrongHandles();
  const map = functions as Map<string, Call>;
  const before = new Map(map);
  for (const [name, call] of before) {
    map.set(name, (...args) => {
      const found: (readonly [key: string, problem: string | undefined])[] = [];
      for (const each of wrong) {
        const { state, codes } = each;
        if (taken[name]?.includes(state)) continue;
        for (const { place, handle, withOther } of placesOf(args)) {
          const key = `${name}(${place}) ${state}`;
          const other = seen.has(key) ? undefined : insteadOf(each, handle);
          if (other === undefined) continue;
          const count = k.handlecount();
          const code = planted === key ? "success" : codeOf(() => call(...withOther(other)));
          const left = k.handlecount() - count;
          found.push([key, codes.includes(code) ? (left === 0 ? undefined : `${left} objects are left`) : code]);
        }
        each.release?.();
      }
      const result = call(...args);
      // A call that fails anyway says nothing about the handle.
      for (const [key, problem] of found) {
        seen.add(key);
        entered.add(name);
        tally.check(problem && `${key}: ${problem}`);
      }
      return result;
    });
  }
  const cwd = process.cwd();
  // Sequences save files.
  process.chdir(folder);
  try {
    const isFound = () => planted !== undefined && tally.found > 0;
    for (let i = 0; i < sized(scale, 150, 2_000, 10_000) && !isOver() && !isFound(); i++) {
      const failure = runSequence(seed + i, { counts: noCounts() });
      if (failure && planted === undefined) tally.fail(`sequence ${seed + i}: ${failure.message}`);
      // Jobs end in a turn of the event loop.
      await setImmediate();
    }
  } finally {
    process.chdir(cwd);
    for (const [name, call] of before) map.set(name, call);
    k.free();
  }
  const states = wrong.map(({ state }) => [state, [...seen].filter((key) => key.endsWith(` ${state}`)).length]);
  return tally.outcome({ functions: entered.size, ...Object.fromEntries(states) });
}

export const handleStates: Rig = {
  fault: "F8",
  name: "handle-states",
  about:
    "every function with a freed, forged, foreign or leased handle at each place: the error of its state, and nothing is made",
  run: (context) => matrix(context),
  planted: {
    "a function without a look at its handle": (context) => matrix(context, "size(0) freed"),
    "a function that takes an object of a job": (context) => matrix(context, "size(0) leased"),
  },
};
