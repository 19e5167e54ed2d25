// The tensors of a module by their dotted names, in the order in which the engine has them.

import type { Calls } from "./calls.js";
import { joined } from "./plain-data.js";

/** A tensor of an object, without elements. */
export interface TensorProperties {
  /** The dotted name in the object; empty for a single tensor. */
  readonly name: string;
  /** The kind of the module that has it; empty for a tensor outside of modules. */
  readonly kind: string;
  readonly dtype: string;
  readonly requiresGradient: boolean;
  readonly shape: readonly number[];
}

type Properties = readonly [name: string, dtype: string, device: string, gradient: boolean, size: readonly number[]];

interface OutlineRow {
  readonly depth: number;
  readonly module: string;
  readonly name: string;
  readonly parms: readonly Properties[];
  readonly buffers: readonly Properties[];
}

/** The dotted names of modules, from their depths and own names, depth first. A module without a name has its position. */
export function pathsOf(rows: readonly { readonly depth: number; readonly name: string }[]): readonly string[] {
  const above: { readonly path: string; children: number }[] = [];
  return rows.map(({ depth, name }) => {
    above.length = Math.min(above.length, depth);
    const parent = above.at(-1);
    const position = parent ? parent.children++ : 0;
    const path = parent ? joined(parent.path, name || String(position)) : "";
    above.push({ path, children: 0 });
    return path;
  });
}

const propertiesOf =
  (path: string, kind: string) =>
  ([name, dtype, , requiresGradient, shape]: Properties): TensorProperties => ({
    name: joined(path, name),
    kind,
    dtype,
    requiresGradient,
    shape,
  });

/** Parameters and buffers of a module. A tensor that it has under several names is there several times. */
export function layoutOf(calls: Calls, id: bigint) {
  const rows = calls.call("outline", id) as unknown as readonly OutlineRow[];
  const paths = pathsOf(rows);
  const of = (column: "parms" | "buffers") =>
    rows.flatMap((row, i) => row[column].map(propertiesOf(paths[i] as string, row.module)));
  return { parameters: of("parms"), buffers: of("buffers") };
}

/** The tensors of a tensor, a vector or a dictionary. */
export function looseLayoutOf(calls: Calls, id: bigint, kind: "tensor" | "vector" | "dictionary") {
  const list = (calls.call("outline", id) as unknown as readonly Properties[]).map(propertiesOf("", ""));
  return kind === "vector" ? list.map((tensor, i) => ({ ...tensor, name: String(i) })) : list;
}
