// Objects that are given to a load, each under its name in the file.

import type { ArgumentEntries } from "./arguments.js";
import { type Calls, failure, kindOf } from "./calls.js";

/** Kinds of objects that have tensors outside of modules. */
export const looseKinds: readonly string[] = ["tensor", "vector", "dictionary"];

/** Given tensors, vectors and dictionaries by name. */
export const looseObjects = (given: ArgumentEntries): readonly (readonly [name: string, id: bigint])[] =>
  [...given].filter(
    (entry): entry is [string, bigint] => typeof entry[1] === "bigint" && looseKinds.includes(kindOf(entry[1]) ?? ""),
  );

/** Throws if objects of two names have a tensor or an optimizer in common, which would get what the file has for the last one. */
export function checkShared(
  calls: Calls,
  modules: ReadonlyMap<string, bigint>,
  given: ArgumentEntries,
  optimizers: ReadonlyMap<string, bigint>,
): void {
  const owners = new Map<number, string>();
  const check = (identity: number, name: string, noun: string) => {
    const other = owners.get(identity) ?? name;
    owners.set(identity, name);
    if (other === name) return;
    const problem = `given \`${other}\` and \`${name}\` with one ${noun}`;
    throw failure("ERR_ARGUMENT", `expected an object of its own for each object of the file, ${problem}`);
  };
  for (const [name, id] of [...modules, ...looseObjects(given)]) {
    for (const identity of calls.identitiesOf(id).tensors) check(identity, name, "tensor");
  }
  owners.clear();
  for (const [name, id] of optimizers) check(calls.identitiesOf(id).optimizer, name, "optimizer");
}
