// The arguments of a load after the file.

import { type ArgumentEntries, type Arguments, flags } from "./arguments.js";
import { type Calls, failure, kindOf } from "./calls.js";
import { Selection, selecting } from "./selection.js";

/** The arguments of a load after the file. */
export interface LoadRequest {
  /** Objects to be set by their names. */
  readonly given: ArgumentEntries;
  readonly selection: Selection;
  /** Refuse a file that differs from the given objects. Otherwise what fits is set, and the rest is reported. */
  readonly strict: boolean;
  /** Compare the file with its checksum. */
  readonly verify: boolean;
  /** Set the generator of random numbers. */
  readonly generator: boolean;
}

/** The request of the arguments after the file. */
export function loadRequest(calls: Calls, command: string, args: Arguments): LoadRequest {
  const given = args.options();
  const options = args.options();
  args.finish();
  const [selection, others] = Selection.take(options);
  // Null is the default of the generator.
  const set = new Map([...others].filter(([name, value]) => name !== "generator" || value !== null));
  const defaults = { verify: true, strict: true, generator: true };
  const { verify, strict, generator } = flags(command, set, defaults, selecting);
  const isWhole = strict && selection.isWholeRun;
  const request = { given, selection, strict, verify, generator: set.has("generator") ? generator : isWhole };
  if (given.size === 0 && !makesObjects(request)) {
    const option = strict ? "rename" : "strict: false";
    throw failure("ERR_ARGUMENT", `${option}: expected objects to be set, by their names`);
  }
  if (request.generator) calls.requireGenerator();
  return request;
}

/** Whether objects that are not given are made anew. With other names, and where a report is the result, only given ones are set. */
const makesObjects = ({ strict, selection }: LoadRequest): boolean => strict && !selection.renames;

/** Throws for a name that the file does not have. Tensors of a given object may have other names in the file. */
export function checkNames({ given, selection }: LoadRequest, objects: ReadonlyMap<string, unknown>): void {
  for (const [name, target] of given) {
    const kind = typeof target === "bigint" ? kindOf(target) : undefined;
    const hasTensors = kind !== undefined && !["optimizer", "model", "loss"].includes(kind);
    if (objects.has(name) || (selection.renames && hasTensors)) continue;
    throw failure("ERR_ARGUMENT", `the file has no object \`${name}\`, only ${[...objects.keys()].join(", ")}`);
  }
}
