import type { TypedTensor } from "../../binding.js";
import type { TensorHandle } from "../../handle.js";
import type { Device, Dtype, TensorOptions } from "../../types/arguments.js";
import type { AnyTensor, Held } from "../../types/objects.js";
import type { Numbers, TensorData } from "../../types/tensor-data.js";
import { refuseReceiver, refuseSurplus } from "../../values/refuse.js";
import { backward, grad } from "../functions/gradients.js";
import { size } from "../functions/objects.js";
import { data, device, dtype, tensor, to } from "../functions/tensors.js";
import { checkedHandle, release } from "./held.js";

/** A tensor. */
export class Tensor implements Held<TensorHandle> {
  readonly #handle: TensorHandle;

  /** The tensor of a handle, or of another object, whose handle is then shared. */
  constructor(tensor: AnyTensor);
  constructor(tensor: AnyTensor, ...surplus: readonly unknown[]) {
    refuseSurplus("Tensor", surplus);
    this.#handle = checkedHandle("Tensor", "tensor", tensor);
  }

  /** Makes a tensor of numbers, as the function `tensor` does. */
  static of(numbers: TensorData, ...options: readonly ("grad" | Dtype | Device | TensorOptions)[]): Tensor {
    return new Tensor(tensor(numbers, ...options));
  }

  /** The handle of the object that a method was called on, which may be anything. */
  static #handleOf(receiver: Tensor): TensorHandle {
    return #handle in Object(receiver) ? receiver.#handle : refuseReceiver("Tensor", receiver);
  }

  /** The handle, for the functions of the k-api. */
  get handle(): TensorHandle {
    return Tensor.#handleOf(this);
  }

  /** Sizes of the dimensions. */
  get shape(): readonly number[] {
    return size(Tensor.#handleOf(this));
  }

  /** The element type. */
  get dtype(): Dtype {
    return dtype(Tensor.#handleOf(this));
  }

  /** The device whose memory holds the tensor. */
  get device(): Device {
    return device(Tensor.#handleOf(this));
  }

  /** The elements as nested numbers. */
  values(): Numbers;
  values(...surplus: readonly unknown[]): Numbers {
    refuseSurplus("values", surplus);
    return tensor(Tensor.#handleOf(this));
  }

  /** A copy of the elements as a typed array, with the shape. */
  data(): TypedTensor;
  data(...surplus: readonly unknown[]): TypedTensor {
    refuseSurplus("data", surplus);
    return data(Tensor.#handleOf(this));
  }

  /** The gradient; undefined if there is none. */
  grad(): Numbers | undefined;
  grad(...surplus: readonly unknown[]): Numbers | undefined {
    refuseSurplus("grad", surplus);
    return grad(Tensor.#handleOf(this));
  }

  /** Accumulates the gradients of this scalar into every leaf that it was computed from. */
  backward(): void;
  backward(...surplus: readonly unknown[]): void {
    refuseSurplus("backward", surplus);
    backward(Tensor.#handleOf(this));
  }

  /** A copy on a device or of a type, cut off from the graph. */
  to(...where: readonly (Device | Dtype)[]): Tensor {
    return new Tensor(to(Tensor.#handleOf(this), ...where));
  }

  /** Frees the tensor. A second call does nothing. */
  [Symbol.dispose](): void {
    release(Tensor.#handleOf(this));
  }
}

/** The class of tensors. */
export type TensorClass = typeof Tensor;
