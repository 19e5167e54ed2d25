// Losses and data loaders of the models of a file.

import type { BindingArgument, BindingResult, TypedTensor } from "../binding.js";
import { type Calls, failure, misfit } from "./calls.js";
import type { Change } from "./changes.js";
import { dictionary, entry, refuse } from "./entries.js";
import { entriesIn, type Json, type JsonObject } from "./json.js";
import { positionNumbers } from "./positions.js";
import type { SavedArrays } from "./saved-arrays.js";

/** Options and position of a data loader. */
export interface SavedLoader {
  /** The command that sets the options. */
  readonly command: "train" | "test";
  readonly options: BindingArgument;
  readonly position: Float64Array | undefined;
}

/** The data loaders of a model, for training and for testing. */
export function loadersOf(arrays: SavedArrays, model: JsonObject): readonly SavedLoader[] {
  return (["train", "test"] as const).map((command) => {
    const saved = entriesIn(entry(model, command)) ?? refuse(misfit(`the options of ${command}`));
    const position = positionNumbers(entry(saved, "position"), (array) => arrays.read(array));
    return { command, options: arrays.argument(entry(saved, "options")), position };
  });
}

/** Sets the data loader of a new model. */
export function setLoader(calls: Calls, model: bigint, { command, options, position }: SavedLoader): void {
  calls.call(command, model, options);
  if (position !== undefined) calls.call("position", model, command === "train", position);
}

/** A change of the data loader of a given model, whose options were checked. */
export function loaderChange(calls: Calls, model: bigint, loader: SavedLoader): Change {
  const { command, position } = loader;
  const place = calls.call("position", model, command === "train") as TypedTensor<"double"> | null;
  if (position !== undefined && place !== null && place.data[0] !== position[0]) {
    throw failure("ERR_SHAPE", `expected a position in ${place.data[0]} samples, given one in ${position[0]}`);
  }
  const before = { command, options: calls.call(command, model) as BindingArgument, position: place?.data };
  return {
    apply: () => setLoader(calls, model, loader),
    undo: () => setLoader(calls, model, before),
  };
}

/** A loss of the file. */
export function lossOf(calls: Calls, arrays: SavedArrays, saved: Json): bigint {
  const entries = dictionary(saved, "loss");
  return calls.make("loss", entry(entries, "name") as string, arrays.argument(entry(entries, "options")));
}

/** Throws unless a loss of its outline is the one of the file. */
export function checkLoss(calls: Calls, own: BindingResult, saved: bigint): void {
  const expected = calls.call("outline", saved);
  if (JSON.stringify(own) === JSON.stringify(expected)) return;
  const [name, given] = [expected, own].map((outline) => (outline as readonly BindingResult[])[0]);
  throw failure("ERR_ARGUMENT", `expected the loss of the file, ${name} with its options, given ${given}`);
}
