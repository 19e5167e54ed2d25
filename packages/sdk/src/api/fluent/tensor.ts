import type { TypedTensor } from "../../binding.js";
import type { TensorHandle } from "../../handle.js";
import type { Device, Dtype, TensorOptions } from "../../types/arguments.js";
import type { Numbers, TensorData } from "../../types/tensor-data.js";
import { refuseSurplus } from "../../values/refuse.js";
import { backward, grad } from "../functions/gradients.js";
import { size } from "../functions/objects.js";
import { data, device, dtype, tensor, to } from "../functions/tensors.js";
import { type Held, release } from "./held.js";

/** A tensor. */
export class Tensor implements Held<TensorHandle> {
  readonly #handle: TensorHandle;

  /** The tensor of a handle. */
  constructor(handle: TensorHandle);
  constructor(handle: TensorHandle, ...surplus: readonly unknown[]) {
    refuseSurplus("Tensor", surplus);
    this.#handle = handle;
  }

  /** Makes a tensor of numbers, as the function `tensor` does. */
  static of(numbers: TensorData, ...options: readonly ("grad" | Dtype | Device | TensorOptions)[]): Tensor {
    return new Tensor(tensor(numbers, ...options));
  }

  /** The handle, for the functions of the k-api. */
  get handle(): TensorHandle {
    return this.#handle;
  }

  /** Sizes of the dimensions. */
  get shape(): readonly number[] {
    return size(this.#handle);
  }

  /** The element type. */
  get dtype(): Dtype {
    return dtype(this.#handle);
  }

  /** The device whose memory holds the tensor. */
  get device(): Device {
    return device(this.#handle);
  }

  /** The elements as nested numbers. */
  values(): Numbers;
  values(...surplus: readonly unknown[]): Numbers {
    refuseSurplus("values", surplus);
    return tensor(this.#handle);
  }

  /** A copy of the elements as a typed array, with the shape. */
  data(): TypedTensor;
  data(...surplus: readonly unknown[]): TypedTensor {
    refuseSurplus("data", surplus);
    return data(this.#handle);
  }

  /** The gradient; undefined if there is none. */
  grad(): Numbers | undefined;
  grad(...surplus: readonly unknown[]): Numbers | undefined {
    refuseSurplus("grad", surplus);
    return grad(this.#handle);
  }

  /** Accumulates the gradients of this scalar into every leaf that it was computed from. */
  backward(): void;
  backward(...surplus: readonly unknown[]): void {
    refuseSurplus("backward", surplus);
    backward(this.#handle);
  }

  /** A copy on a device or of a type, cut off from the graph. */
  to(...where: readonly (Device | Dtype)[]): Tensor {
    return new Tensor(to(this.#handle, ...where));
  }

  /** Frees the tensor. A second call does nothing. */
  [Symbol.dispose](): void {
    release(this.#handle);
  }
}

/** The class of tensors. */
export type TensorClass = typeof Tensor;
