// The members of an own module: values of its properties that are tensors or modules, or lists or dictionaries of them.

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

/** The member that a value is; undefined for any other value. `where` names the property in messages. */
export function memberOf(value: unknown, where = ""): Member | undefined {
  if (typeof value !== "object" || value === null || isRevoked(value)) return undefined;
  const kind = kindOf(value);
  if (kind !== undefined) return { kind, value, parts: [["", value]] };
  if (Array.isArray(value)) return groupOf("list", value, Object.entries(value), where);
  if (value instanceof Map || value instanceof Set) {
    if ([...value.values()].some((part) => kindOf(part) === "module")) unclear(where, "a Map or a Set with modules");
    return undefined;
  }
  return isDictionary(value) ? groupOf("dictionary", value, Object.entries(value), where) : undefined;
}

/** Whether two members have the same parts. */
export function sameMember(a: Member, b: Member): boolean {
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
  return member.kind === "list" ? parts.map(([, part]) => part) : Object.fromEntries(parts);
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
  where: string,
): Member | undefined {
  const kinds = new Set(parts.map(([, part]) => kindOf(part)));
  if (kinds.size === 1 && !kinds.has(undefined)) return { kind, value, parts };
  if (kinds.has("module")) unclear(where, "modules among other values");
  const isNested = parts.some(([, part]) => Array.isArray(part) && part.some((inner) => kindOf(inner) === "module"));
  if (isNested) unclear(where, "modules in lists of lists");
  return undefined;
}

function unclear(where: string, given: string): never {
  throw new StepwellError(
    "ERR_ARGUMENT",
    `${where}: expected modules in a list or a dictionary of them, given ${given}`,
  );
}
