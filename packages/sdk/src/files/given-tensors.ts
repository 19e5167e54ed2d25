// Tensors of given objects, which get their elements from the arrays of a file.

import type { BindingArgument } from "../binding.js";
import { type Calls, failure, kindOf } from "./calls.js";
import type { Change } from "./changes.js";
import type { TensorProperties } from "./module-layout.js";
import type { SavedArrays } from "./saved-arrays.js";

/** Names of tensors in an object, each with the name of its array. */
export type NamedArrays = readonly (readonly [name: string, array: string])[];

/** Changes that set the tensors of an object from the arrays of their names. Both have the same names. */
export function tensorChanges(
  calls: Calls,
  arrays: SavedArrays,
  { id, layout }: { readonly id: bigint; readonly layout: readonly TensorProperties[] },
  saved: NamedArrays,
): readonly Change[] {
  const identities = calls.identitiesOf(id).tensors;
  const handles = kindOf(id) === "tensor" ? [id] : calls.tensorsOf(id);
  const positions = new Map(layout.map(({ name }, i) => [name, i]));
  const filled = new Map<number | undefined, Uint8Array>();
  const changes = saved.map(([name, array]) => {
    const position = positions.get(name);
    if (position === undefined) {
      throw failure("ERR_PARAMETER", `the file has \`${name}\`, which the object does not have`);
    }
    const [{ dtype, shape, bytes }, own] = [arrays.describe(array), layout[position] as TensorProperties];
    if (shape.length !== own.shape.length || shape.some((size, i) => size !== own.shape[i])) {
      const [expected, given] = [own.shape, shape].map((sizes) => `[${sizes.join(", ")}]`);
      throw failure("ERR_SHAPE", `\`${name}\`: expected shape ${expected}, given ${given}`);
    }
    if (dtype !== own.dtype) throw failure("ERR_DTYPE", `\`${name}\`: expected dtype ${own.dtype}, given ${dtype}`);
    const before = filled.get(identities[position]);
    if (before !== undefined && (before.length !== bytes.length || before.some((byte, i) => byte !== bytes[i]))) {
      const problem = "is a tensor of another name too, with other elements in the file";
      throw failure("ERR_FORMAT", `\`${name}\` ${problem}`);
    }
    filled.set(identities[position], bytes);
    return elementChange(calls, handles[position] as bigint, () => ({ ...arrays.read(array) }));
  });
  requireAll(layout, (i) => filled.has(identities[i]));
  return changes;
}

/** A change of the elements of a tensor. */
export function elementChange(calls: Calls, tensor: bigint, elements: () => BindingArgument): Change {
  let before: BindingArgument;
  return {
    apply: () => {
      before = calls.call("data", tensor) as BindingArgument;
      calls.call("copyto", elements(), tensor);
    },
    undo: () => {
      calls.call("copyto", before, tensor);
    },
  };
}

/** Throws for the first tensor of an object that the file does not have. */
export function requireAll(layout: readonly TensorProperties[], has: (position: number) => boolean): void {
  const missing = layout.find((_, i) => !has(i));
  if (missing) throw failure("ERR_PARAMETER", `the file has no \`${missing.name}\`, which the object has`);
}
