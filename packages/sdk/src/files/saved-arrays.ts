// The arrays of a file by their names.

import type { BindingArgument, TypedTensor } from "../binding.js";
import { failure } from "./calls.js";
import { arrayOf, type ElementName, elementNameOf } from "./element-types.js";
import { refuse } from "./entries.js";
import type { Json } from "./json.js";
import { putBack } from "./plain-data.js";
import type { SavedFile } from "./safetensors.js";

/** An array of a file, without a copy of its elements. */
export interface SavedArray {
  readonly dtype: ElementName;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The arrays of a file. */
export class SavedArrays {
  readonly #file: SavedFile;

  constructor(file: SavedFile) {
    this.#file = file;
  }

  /** Type, shape and bytes of an array. */
  describe(name: string): SavedArray {
    const found = this.#file.tensors.get(name);
    if (!found) throw failure("ERR_FORMAT", `the file has no tensor \`${name}\``);
    const { word, shape, bytes } = found;
    const dtype = elementNameOf(word) ?? refuse(failure("ERR_DTYPE", `\`${name}\` is of type ${word}`));
    return { dtype, shape, bytes };
  }

  /** A copy of an array. */
  read(name: string): TypedTensor {
    const { dtype, shape, bytes } = this.describe(name);
    return arrayOf(dtype, bytes, shape);
  }

  /** Data of the file with its arrays. */
  data(value: Json): unknown {
    return putBack(value, (name) => this.read(name));
  }

  /** Data of the file as an argument of the engine. */
  argument(value: Json): BindingArgument {
    return this.data(value) as BindingArgument;
  }
}
