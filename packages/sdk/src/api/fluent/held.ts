// Objects that hold a handle, and their handles as functions take them.

import { type ErrorCode, renamed, StepwellError } from "../../errors.js";
import { type AnyHandle, Handle } from "../../handle.js";
import type { Held } from "../../types/objects.js";
import { isRevoked } from "../../values/plain-data.js";
import { refuse } from "../../values/refuse.js";
import { classof, free } from "../functions/objects.js";

type HandleOf<Value> = Value extends Held<infer Kind> ? Kind : Value;

/** The handle of an object; any other value as it is. */
export function toHandle<Value>(value: Value): HandleOf<Value> {
  const handle =
    typeof value === "object" && value !== null && !isRevoked(value) && "handle" in value ? value.handle : undefined;
  return (handle instanceof Handle ? handle : value) as HandleOf<Value>;
}

type ObjectKind = ReturnType<typeof classof>;

/** The handle that a class is made of: of one kind, and of the engine of this entry. `where` is the class. */
export function checkedHandle<Kind extends AnyHandle>(
  where: string,
  kind: ObjectKind,
  object: Kind | Held<Kind>,
  position = 1,
): Kind {
  const handle = toHandle(object) as Kind;
  if (Handle.idOf(handle) === undefined) refuse(where, `a handle of ${kind} as argument ${position}`, handle);
  const given = classofIn(where, handle, position);
  if (given === kind) return handle;
  throw new StepwellError(
    "ERR_HANDLE_KIND",
    `${where}: expected a handle of ${kind} as argument ${position}, given ${given} handle`,
  );
}

/** The kind of object of a handle, which must be live; errors name the call `where` and the position in it. */
export function classofIn(where: string, handle: AnyHandle, position = 1): ObjectKind {
  try {
    return classof(handle);
  } catch (error) {
    const named = renamed(error, "classof", where);
    if (position === 1 || !(named instanceof StepwellError)) throw named;
    throw new StepwellError(named.code, named.message.replace("argument 1", `argument ${position}`));
  }
}

/** Errors of an object that no longer exists: it was freed, by `free()` too, or lost with its engine. */
const gone: readonly ErrorCode[] = ["ERR_HANDLE_FREED", "ERR_HANDLE_INVALID", "ERR_ENGINE_POISONED"];

/** Frees an object, unless it no longer exists. */
export function release(handle: AnyHandle): void {
  try {
    free(handle);
  } catch (error) {
    if (!(error instanceof StepwellError && gone.includes(error.code))) throw error;
  }
}
