import type { ElementType, TypedTensor } from "../../binding.js";
import type { TensorHandle } from "../../handle.js";
import type { Device, Dtype, TensorOptions } from "../../types/arguments.js";
import type { AnyModel, AnyOptimizer, AnyTensor } from "../../types/objects.js";
import type { Numbers, NumbersOf, OperandData, TensorData } from "../../types/tensor-data.js";
import { refuseReceiver, refuseSurplus } from "../../values/refuse.js";
import { nestedAs } from "../../values/typed-tensor.js";
import { backward, grad, gradflag } from "../functions/gradients.js";
import { size, use } from "../functions/objects.js";
import { copyto, data, device, dtype, take, tensor, to } from "../functions/tensors.js";
import { checkedHandle } from "./held.js";
import { HeldObject } from "./held-object.js";
import { type TensorMethods, tensorMethods } from "./tensor-methods.js";

/** Methods of the class {@link Tensor}, one for each operation. */
export interface Tensor extends TensorMethods<Tensor> {}

/** A tensor. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the static block defines every method of the interface.
export class Tensor extends HeldObject<TensorHandle> {
  readonly #handle: TensorHandle;
  /** The handle of a new result, which needs no check. A check is a call of the engine. */
  static #made: TensorHandle | undefined;

  /** The tensor of a handle, or of another object, whose handle is then shared. */
  constructor(tensor: AnyTensor);
  constructor(tensor: AnyTensor, ...surplus: readonly unknown[]) {
    refuseSurplus("Tensor", surplus);
    const isMade = tensor !== undefined && tensor === Tensor.#made;
    const handle = isMade ? (tensor as TensorHandle) : checkedHandle("Tensor", "tensor", tensor);
    Tensor.#made = undefined;
    super("tensor", handle);
    this.#handle = handle;
  }

  /** Makes a tensor of numbers or booleans, as the function `tensor` does. */
  static of(numbers: OperandData, ...options: readonly ("grad" | Dtype | Device | TensorOptions)[]): Tensor {
    return new Tensor(tensor(numbers, ...options));
  }

  /** The handle of the object that a method was called on, which may be anything. */
  static #handleOf(receiver: Tensor): TensorHandle {
    return #handle in Object(receiver) ? receiver.#handle : refuseReceiver("Tensor", receiver);
  }

  /** The object of a handle that was just made. */
  static #of(handle: TensorHandle): Tensor {
    Tensor.#made = handle;
    return new Tensor(handle);
  }

  /** The handle of a tensor; any other value as it is. */
  static #plain(value: unknown): unknown {
    return typeof value === "object" && value !== null && #handle in value ? value.#handle : value;
  }

  static {
    for (const [name, given, count] of tensorMethods) {
      const operation = given as (...args: readonly unknown[]) => unknown;
      const value = function (this: Tensor, ...args: readonly unknown[]): unknown {
        const handle = Tensor.#handleOf(this);
        if (args.length > count) refuseSurplus(name, args.slice(count));
        const result: unknown =
          args.length === 0
            ? operation(handle)
            : args.length === 1
              ? operation(handle, Tensor.#plain(args[0]))
              : operation(handle, ...args.map(Tensor.#plain));
        if (Array.isArray(result)) return result.map(Tensor.#of);
        return typeof result === "boolean" ? result : Tensor.#of(result as TensorHandle);
      };
      Object.defineProperty(value, "name", { value: name, configurable: true });
      Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
    }
  }

  /** Sizes of the dimensions. */
  get shape(): readonly number[] {
    return size(Tensor.#handleOf(this));
  }

  /** The element type. */
  get dtype(): ElementType {
    return dtype(Tensor.#handleOf(this));
  }

  /** The device whose memory holds the tensor. */
  get device(): Device {
    return device(Tensor.#handleOf(this));
  }

  /** Whether gradients are computed. Set it to compute them, or to freeze the tensor. */
  get requiresGrad(): boolean {
    return gradflag(Tensor.#handleOf(this)) as boolean;
  }

  set requiresGrad(flag: boolean) {
    gradflag(Tensor.#handleOf(this), flag);
  }

  /** The elements as nested numbers. */
  values(): Numbers;
  /** The elements of a tensor of a number of dimensions. Another number is `ERR_SHAPE`. */
  values<Dimensions extends keyof NumbersOf>(options: { readonly dimensions: Dimensions }): NumbersOf[Dimensions];
  values(options: unknown = {}, ...surplus: readonly unknown[]): Numbers {
    refuseSurplus("values", surplus);
    return nestedAs("values", data(Tensor.#handleOf(this)), options);
  }

  /** A copy of the elements as a typed array, with the shape. */
  data(): TypedTensor;
  /** A copy of the elements of one type, as the typed array of that type. Another type is `ERR_DTYPE`. */
  data<Type extends ElementType>(type: Type): TypedTensor<Type>;
  data(type?: ElementType, ...surplus: readonly unknown[]): TypedTensor {
    refuseSurplus("data", surplus);
    return type === undefined ? data(Tensor.#handleOf(this)) : data(Tensor.#handleOf(this), type);
  }

  /** The elements as nested numbers; frees the tensor. */
  take(): Numbers;
  /** The elements of a tensor of a number of dimensions; frees the tensor. Another number is `ERR_SHAPE`, and the tensor stays. */
  take<Dimensions extends keyof NumbersOf>(options: { readonly dimensions: Dimensions }): NumbersOf[Dimensions];
  take(options?: { readonly dimensions: keyof NumbersOf }, ...surplus: readonly unknown[]): Numbers {
    refuseSurplus("take", surplus);
    return options === undefined ? take(Tensor.#handleOf(this)) : take(Tensor.#handleOf(this), options);
  }

  /** Overwrites the elements of another tensor of this shape. */
  copyTo(target: AnyTensor): void;
  copyTo(target: AnyTensor, ...surplus: readonly unknown[]): void {
    refuseSurplus("copyTo", surplus);
    copyto(Tensor.#handleOf(this), target);
  }

  /** Makes this object stand for another tensor, whose handle is freed. */
  use(other: AnyTensor): void;
  use(other: AnyTensor, ...surplus: readonly unknown[]): void {
    refuseSurplus("use", surplus);
    use(Tensor.#handleOf(this), other);
  }

  /** The gradient; undefined if there is none. */
  grad(): Numbers | undefined;
  /** Sets the gradient, in the shape and type of the tensor. */
  grad(gradient: AnyTensor | TensorData): void;
  grad(...args: readonly unknown[]): Numbers | undefined {
    refuseSurplus("grad", args.slice(1));
    const handle = Tensor.#handleOf(this);
    if (args.length === 0) return grad(handle);
    grad(handle, args[0] as TensorData);
    return undefined;
  }

  /**
   * Accumulates the gradients of this scalar into every leaf that it was computed from.
   *
   * @param optimizer - multiplies the scalar by its loss scale
   */
  backward(optimizer?: AnyOptimizer | AnyModel): void;
  /**
   * Accumulates the gradients of the sum of this tensor times `gradient` into every leaf that this tensor was computed from.
   *
   * @param gradient - in the shape of this tensor, and in its dtype if it is a tensor
   * @param optimizer - multiplies `gradient` by its loss scale
   */
  backward(gradient: AnyTensor | TensorData | undefined, optimizer?: AnyOptimizer | AnyModel): void;
  backward(...args: readonly unknown[]): void {
    refuseSurplus("backward", args.slice(2));
    backward(Tensor.#handleOf(this), ...(args as [TensorData, AnyOptimizer]));
  }

  /** A copy on a device or of a type, cut off from the graph. */
  to(...where: readonly (Device | Dtype)[]): Tensor {
    return new Tensor(to(Tensor.#handleOf(this), ...where));
  }
}

/** The class of tensors. */
export type TensorClass = typeof Tensor;
