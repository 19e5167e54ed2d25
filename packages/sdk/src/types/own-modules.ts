// Functions of a program that modules and losses are made of.

import type { TensorHandle } from "../handle.js";
import type { AnyTensor } from "./objects.js";
import type { TensorData } from "./tensor-data.js";

/** The inputs of a module: tensors, or plain numbers of the type that it takes. Optional ones at the end may be undefined. */
export type ModuleInputs = readonly [AnyTensor | TensorData, ...(AnyTensor | TensorData | undefined)[]];

/** The forward pass of a module: a function of its inputs. */
export type ModuleFunction = (...inputs: TensorHandle[]) => AnyTensor | readonly AnyTensor[];

/** Tensors of a module that is made of a function. */
export interface CallbackOptions {
  /** Leaf tensors with `"grad"`, by name, which are trained. */
  readonly parms?: Readonly<Record<string, AnyTensor>>;
  /** Tensors by name that belong to the state and are not trained. */
  readonly buffers?: Readonly<Record<string, AnyTensor>>;
}

/** Calculates the value of a function with a gradient of its own. */
export type GradientForward = (...inputs: TensorHandle[]) => AnyTensor;

/** Calculates the gradients of the inputs, from the gradient of the output and the inputs. */
export type GradientBackward = (
  gradient: TensorHandle,
  ...inputs: TensorHandle[]
) => AnyTensor | null | readonly (AnyTensor | null | undefined)[];

/** A function of tensors with a gradient of its own. */
export type GradientFunction = (...inputs: readonly AnyTensor[]) => TensorHandle;

/** The loss of an output and a target: a tensor of one element. */
export type LossFunction<Tensor = TensorHandle> = (output: Tensor, target: Tensor) => AnyTensor;
