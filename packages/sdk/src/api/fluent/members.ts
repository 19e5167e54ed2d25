// The members of an own module: values of its properties that are tensors or modules, or lists or dictionaries of them.

import { handleOf } from "../../client/encode.js";
import { StepwellError } from "../../errors.js";
import type { ObjectKind } from "../../generated/object-kinds.js";
import { Handle } from "../../handle.js";
import { isDictionary, isRevoked } from "../../values/plain-data.js";
import { HeldObject, kindOf as kindOfHeld } from "./held-object.js";

/** A value that the engine may take as a part of a module. */
export interface Member {
  readonly kind: "tensor" | "module" | "list" | "dictionary";
  readonly value: unknown;
  /** The parts with their names; one without a name for a tensor or a module. */
  readonly parts: readonly (readonly [name: string, part: unknown])[];
}

/** The member that a value is; undefined for any other value. */
export function memberOf(value: unknown): Member | undefined {
  if (typeof value !== "object" || value === null || isRevoked(value)) return undefined;
  const kind = kindOf(value);
  if (kind !== undefined) return { kind, value, parts: [["", value]] };
  if (Array.isArray(value)) return groupOf("list", value, Object.entries(value));
  if (value instanceof Map || value instanceof Set) return undefined;
  return isDictionary(value) ? groupOf("dictionary", value, Object.entries(value)) : undefined;
}

/** Whether two members have the same parts. */
export function sameMember(a: Member, b: Member): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.parts.length !== b.parts.length) return false;
  return a.parts.every(([name, part], index) => {
    const [otherName, other] = b.parts[index] ?? [];
    return name === otherName && part === other;
  });
}

/** The value of a member with other parts in place of its own; `path` is the dotted name of a part. */
export function withParts(member: Member, name: string, replace: (part: unknown, path: string) => unknown): unknown {
  if (member.kind === "tensor" || member.kind === "module") return replace(member.value, name);
  const parts = member.parts.map(([key, part]) => [key, replace(part, `${name}.${key}`)] as const);
  const value = member.kind === "list" ? parts.map(([, part]) => part) : Object.fromEntries(parts);
  return Object.isFrozen(member.value) ? Object.freeze(value) : value;
}

function kindOf(value: unknown): "tensor" | "module" | undefined {
  let kind: ObjectKind | undefined;
  if (value instanceof HeldObject) kind = kindOfHeld(value);
  else if (value instanceof Handle && Handle.idOf(value) !== undefined) kind = Handle.kindOf(value);
  return kind === "tensor" || kind === "module" ? kind : undefined;
}

function groupOf(
  kind: "list" | "dictionary",
  value: object,
  parts: readonly (readonly [string, unknown])[],
): Member | undefined {
  const kinds = new Set(parts.map(([, part]) => kindOf(part)));
  return kinds.size === 1 && !kinds.has(undefined) ? { kind, value, parts } : undefined;
}

/**
 * Fails for a value with a module or a trained tensor in it, if the value is not a member. The engine would neither train nor save them.
 * It looks into lists, dictionaries, maps and sets. `isTrained` tells it of a tensor.
 */
export function refuseParts(value: unknown, where: string, isTrained: (tensor: unknown) => boolean): void {
  const [left, seen] = [[value], new Set<unknown>()];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== "object" || next === null || isRevoked(next) || seen.has(next)) continue;
    if (ArrayBuffer.isView(next)) continue;
    seen.add(next);
    const handle = handleOf(next);
    if (handle !== undefined) {
      const kind = Handle.kindOf(handle);
      const isGroup = kind === "vector" || kind === "dictionary";
      if (kind === "module" || isGroup || (kind === "tensor" && isTrained(next)))
        unclear(where, `a ${kind} in another value`);
    } else if (Array.isArray(next)) addObjects(next, left);
    else if (next instanceof Map) addObjects([...next.keys(), ...next.values()], left);
    else if (next instanceof Set) addObjects([...next], left);
    else if (isDictionary(next)) {
      for (const property of Object.values(Object.getOwnPropertyDescriptors(next))) left.push(property.value);
    }
  }
}

function addObjects(list: readonly unknown[], left: unknown[]): void {
  for (const item of list) if (typeof item === "object" && item !== null) left.push(item);
}

function unclear(where: string, given: string): never {
  const expected = "expected tensors or modules, or a list or a dictionary of tensors alone or of modules alone";
  throw new StepwellError("ERR_ARGUMENT", `${where}: ${expected}, given ${given}`);
}
