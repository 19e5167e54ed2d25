// The differences of a file and of the tensors that it is loaded into, by name.

import { brief } from "../values/describe.js";
import { type Calls, failure } from "./calls.js";
import { type ElementName, elementNameOf } from "./element-types.js";
import type { TensorProperties } from "./module-layout.js";
import type { SavedTensor } from "./safetensors.js";
import type { SavedNames } from "./selection.js";

/** A tensor of a given object. */
export interface NamedTensor extends TensorProperties {
  readonly handle: bigint;
  readonly identity: number;
}

/** A tensor of a given object with the one of the file, and the name of it there. */
export interface Matched {
  readonly own: NamedTensor;
  readonly from: string;
  readonly saved: SavedTensor;
  readonly dtype: ElementName;
}

interface Mismatched {
  readonly own: NamedTensor;
  readonly saved: SavedTensor;
  /** Whether only the type differs. */
  readonly isOfType: boolean;
}

/** The tensors of an object by a layout of them, whose names begin with a prefix. */
export function namedTensors(
  calls: Calls,
  id: bigint,
  layout: readonly TensorProperties[],
  handles: readonly bigint[],
  name: (own: string) => string,
): readonly NamedTensor[] {
  const { tensors } = calls.identitiesOf(id);
  return layout.map((tensor, i) => ({
    ...tensor,
    name: name(tensor.name),
    handle: handles[i] as bigint,
    identity: tensors[i] as number,
  }));
}

/** The types of floating point, which can be converted to each other. */
const floating: readonly string[] = ["float", "double", "half", "bfloat16"];

/** The tensors under names that the file has. It may have a tensor of several names under any of them. */
export function savedTensors(tensors: readonly NamedTensor[], names: SavedNames): readonly NamedTensor[] {
  const isIn = ({ name }: NamedTensor) => names.find(name) !== undefined;
  const saved = new Set(tensors.filter(isIn).map(({ identity }) => identity));
  const seen = new Set<number>();
  return tensors.filter((tensor) => {
    const { identity } = tensor;
    const isFirst = !seen.has(identity);
    seen.add(identity);
    // Without any of its names the first one is missing.
    return isIn(tensor) || (!saved.has(identity) && isFirst);
  });
}

/** The differences between a file and given objects. */
export class LoadReport {
  readonly matched: Matched[] = [];
  readonly missing: string[] = [];
  readonly unexpected: string[];
  readonly #mismatched: Mismatched[] = [];

  constructor(tensors: readonly NamedTensor[], names: SavedNames, cast: boolean) {
    for (const own of tensors) {
      const found = names.find(own.name);
      if (!found) {
        if (!mayBeMissing(own)) this.missing.push(own.name);
        continue;
      }
      const { from, tensor: saved } = found;
      const dtype = elementNameOf(saved.word);
      const isCast = cast && floating.includes(dtype ?? "") && floating.includes(own.dtype);
      const fits = dtype !== undefined && (dtype === own.dtype || isCast);
      const hasShape = isSame(saved.shape, own.shape);
      if (fits && hasShape) this.matched.push({ own, from, saved, dtype });
      else this.#mismatched.push({ own, saved, isOfType: !fits && hasShape });
    }
    this.unexpected = [...names.unexpected(new Set(tensors.map(({ name }) => name)))];
  }

  /** Throws unless the file and the objects have the same tensors; `lacks` says who has others. */
  requireAll(place: string, lacks: string): void {
    const [[unexpected], [missing], [first]] = [this.unexpected, this.missing, this.#mismatched];
    if (unexpected !== undefined)
      throw failure("ERR_FORMAT", `${place} holds \`${brief(unexpected)}\`, which ${lacks}`);
    if (missing !== undefined) throw failure("ERR_FORMAT", `${place} lacks \`${missing}\``);
    if (first === undefined) return;
    const { own, saved, isOfType } = first;
    const hint = isOfType ? "; { cast: true } converts types of floating point" : "";
    const given = text(elementNameOf(saved.word) ?? saved.word, saved.shape);
    const message = `\`${own.name}\`: expected ${text(own.dtype, own.shape)}, given ${given} in ${place}${hint}`;
    throw failure(isOfType ? "ERR_DTYPE" : "ERR_SHAPE", message);
  }

  /** The report for the caller. */
  get result() {
    const { missing, unexpected } = this;
    return { missing, unexpected, mismatched: this.#mismatched.map(reported) };
  }
}

/** Throws if a file has two values for a tensor of two names: one of them would be lost. */
export function checkTies(matched: readonly Matched[], place: string): void {
  const first = new Map<number, Matched>();
  for (const one of matched) {
    const other = first.get(one.own.identity);
    first.set(one.own.identity, other ?? one);
    if (!other || other.saved.bytes.every((byte, i) => byte === one.saved.bytes[i])) continue;
    const names = `\`${other.own.name}\` and \`${one.own.name}\` are one tensor of the module`;
    throw failure("ERR_FORMAT", `${names}: expected equal elements, given others in ${brief(place)}`);
  }
}

/** Counts of batches, which files of older versions lack. */
const mayBeMissing = ({ kind, name }: NamedTensor): boolean =>
  ["batchnorm", "instancenorm"].includes(kind) && /(^|\.)num_batches_tracked$/.test(name);

const isSame = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((x, i) => x === b[i]);

const text = (dtype: string, shape: readonly number[]) => `${dtype} [${shape.join(", ")}]`;

const reported = ({ own, saved }: Mismatched) => ({
  name: own.name,
  expected: { dtype: own.dtype, shape: [...own.shape] },
  given: { dtype: elementNameOf(saved.word) ?? saved.word, shape: [...saved.shape] },
});
