import type {
  AnyHandle,
  DictionaryHandle,
  LossHandle,
  ModelHandle,
  ModuleHandle,
  OptimizerHandle,
  TensorHandle,
  VectorHandle,
} from "../handle.js";

/** An object of a class: it holds a handle, and frees it at the end of a `using` block. Functions take it for its handle. */
export interface Held<Kind extends AnyHandle> extends Disposable {
  /** The handle, for the functions of the k-api. */
  readonly handle: Kind;
  /** Frees the object. A second call does nothing. */
  [Symbol.dispose](): void;
}

/** A handle, or an object that holds one. A union of handles gives a union of these. */
type HandleOrHeld<Kind extends AnyHandle> = Kind extends unknown ? Kind | Held<Kind> : never;

/** A tensor of either layer. */
export type AnyTensor = HandleOrHeld<TensorHandle>;
/** A list of tensors of either layer. */
export type AnyVector = HandleOrHeld<VectorHandle>;
/** Tensors by name, of either layer. */
export type AnyDictionary = HandleOrHeld<DictionaryHandle>;
/** A module of either layer. */
export type AnyModule = HandleOrHeld<ModuleHandle>;
/** An optimizer of either layer. */
export type AnyOptimizer = HandleOrHeld<OptimizerHandle>;
/** A loss of either layer. */
export type AnyLoss = HandleOrHeld<LossHandle>;
/** A model of either layer. */
export type AnyModel = HandleOrHeld<ModelHandle>;
/** Any object of either layer. */
export type AnyObject = HandleOrHeld<AnyHandle>;
