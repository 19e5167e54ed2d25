import type { Api } from "../api.js";
import type { Device, Dtype, TensorOptions } from "../arguments.js";
import type { Numbers, TensorData } from "../arrays.js";
import type { TypedTensor } from "../binding.js";
import type { TensorHandle } from "../handle.js";
import { type Held, release } from "./held.js";
import { refuseSurplus } from "./refuse.js";

/** A tensor. */
export interface Tensor extends Held<TensorHandle> {
  /** Sizes of the dimensions. */
  readonly shape: readonly number[];
  /** The element type. */
  readonly dtype: Dtype;
  /** Where the tensor lives. */
  readonly device: Device;
  /** The elements as nested numbers. */
  values(): Numbers;
  /** A copy of the elements as a typed array, with the shape. */
  data(): TypedTensor;
  /** The gradient; undefined if there is none. */
  grad(): Numbers | undefined;
  /** Accumulates the gradients of this scalar into every leaf that it was computed from. */
  backward(): void;
  /** A copy on a device or of a type, cut off from the graph. */
  to(...where: readonly (Device | Dtype)[]): Tensor;
}

/** Makes tensors. */
export interface TensorClass {
  /** The tensor of a handle. */
  new (handle: TensorHandle): Tensor;
  /** Makes a tensor of numbers, as the function `tensor` does. */
  of(numbers: TensorData, ...options: readonly ("grad" | Dtype | Device | TensorOptions)[]): Tensor;
}

/** The class of an engine's tensors. */
export function tensorClass(api: Api): TensorClass {
  return class EngineTensor implements Tensor {
    readonly #handle: TensorHandle;

    constructor(handle: TensorHandle, ...surplus: readonly unknown[]) {
      refuseSurplus("Tensor", surplus);
      this.#handle = handle;
    }

    static of(numbers: TensorData, ...options: readonly ("grad" | Dtype | Device | TensorOptions)[]): Tensor {
      return new EngineTensor(api.tensor(numbers, ...options));
    }

    get handle(): TensorHandle {
      return this.#handle;
    }

    get shape(): readonly number[] {
      return api.size(this.#handle);
    }

    get dtype(): Dtype {
      return api.dtype(this.#handle);
    }

    get device(): Device {
      return api.device(this.#handle);
    }

    values(...surplus: readonly unknown[]): Numbers {
      refuseSurplus("values", surplus);
      return api.tensor(this.#handle);
    }

    data(...surplus: readonly unknown[]): TypedTensor {
      refuseSurplus("data", surplus);
      return api.data(this.#handle);
    }

    grad(...surplus: readonly unknown[]): Numbers | undefined {
      refuseSurplus("grad", surplus);
      return api.grad(this.#handle);
    }

    backward(...surplus: readonly unknown[]): void {
      refuseSurplus("backward", surplus);
      api.backward(this.#handle);
    }

    to(...where: readonly (Device | Dtype)[]): Tensor {
      return new EngineTensor(api.to(this.#handle, ...where));
    }

    [Symbol.dispose](): void {
      release(api, this.#handle);
    }
  };
}
