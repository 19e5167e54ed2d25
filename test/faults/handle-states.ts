// F8: every function that takes a handle, with a freed, forged or foreign one in its place.
//
// Random sequences make calls that succeed. Before the first such call of a function with a handle at a place, the same call is made
// with each wrong handle there.

import { createRequire } from "node:module";
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

/** Functions that pass a value on without a look at its objects. */
const passing = new Set(["seq", "keep"]);
const invalid = ["ERR_HANDLE_INVALID", "ERR_HANDLE_KIND", "ERR_ARGUMENT", "ERR_OPTION_TYPE", "ERR_DTYPE"];

/** A handle that stands for no object of the session, in the place of another one, and the codes that are right for it. */
interface Wrong {
  readonly state: string;
  readonly instead: (handle: k.AnyHandle) => unknown;
  readonly codes: readonly string[];
}

function wrongHandles(): readonly Wrong[] {
  const freed = freedHandles();
  const [forged, other] = [Object.create(k.Handle.prototype), foreign()];
  return [
    { state: "freed", instead: (handle) => freed.get(k.classof(handle)), codes: ["ERR_HANDLE_FREED"] },
    { state: "forged", instead: () => forged, codes: invalid },
    { state: "foreign", instead: () => other, codes: ["ERR_HANDLE_INVALID", "ERR_HANDLE_KIND"] },
  ];
}

/** A tensor of a copy of the SDK with another engine. */
function foreign(): unknown {
  const require = createRequire(import.meta.url);
  const path = require.resolve("@stepwell/sdk/wasm");
  const other = require(path) as typeof k;
  return other.tensor([1, 2]);
}

/** The places of handles in arguments: of an argument, or within a list or an object. */
function* replacements(
  args: readonly unknown[],
  instead: Wrong["instead"],
): Generator<readonly [place: string, args: readonly unknown[]]> {
  for (const [i, argument] of args.entries()) {
    const replaced = (value: unknown) => args.map((other, j) => (j === i ? value : other));
    if (argument instanceof k.Handle) yield [`${i}`, replaced(instead(argument))];
    else if (Array.isArray(argument) && argument.length < 100) {
      const at = argument.findIndex((item) => item instanceof k.Handle);
      if (at >= 0) yield [`${i}[]`, replaced(argument.with(at, instead(argument[at])))];
    } else if (
      typeof argument === "object" &&
      argument !== null &&
      Object.getPrototypeOf(argument) === Object.prototype
    ) {
      const [key, handle] = Object.entries(argument).find(([, value]) => value instanceof k.Handle) ?? [];
      if (key !== undefined) yield [`${i}.${key}`, replaced({ ...argument, [key]: instead(handle) })];
    }
  }
}

/** As {@link replacements}; none of arguments that cannot be read. */
function placesOf(
  args: readonly unknown[],
  instead: Wrong["instead"],
): readonly (readonly [string, readonly unknown[]])[] {
  try {
    return [...replacements(args, instead)];
  } catch {
    return [];
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
      for (const { state, instead, codes } of wrong) {
        if (passing.has(name) && (name === "seq" || state !== "forged")) continue;
        for (const [place, replaced] of placesOf(args, instead)) {
          const key = `${name}(${place}) ${state}`;
          if (seen.has(key)) continue;
          const count = k.handlecount();
          const code = planted === name ? "success" : codeOf(() => call(...replaced));
          const left = k.handlecount() - count;
          found.push([key, codes.includes(code) ? (left === 0 ? undefined : `${left} objects are left`) : code]);
        }
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
    for (let i = 0; i < sized(scale, 150, 2_000, 10_000) && !isOver(); i++) {
      const failure = runSequence(seed + i, { counts: noCounts() });
      if (failure && planted === undefined) tally.fail(`sequence ${seed + i}: ${failure.message}`);
    }
  } finally {
    process.chdir(cwd);
    for (const [name, call] of before) map.set(name, call);
    k.free();
  }
  return tally.outcome({ functions: entered.size });
}

export const handleStates: Rig = {
  fault: "F8",
  name: "handle-states",
  about:
    "every function with a freed, a forged or a foreign handle at each place: the error of its state, and nothing is made",
  run: (context) => matrix(context),
  planted: { "a function without a look at its handle": (context) => matrix(context, "size") },
};
