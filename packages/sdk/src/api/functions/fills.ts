// Functions that fill tensors in place: with one number, or with random numbers of the session's generator.

import type { Parameters } from "../../types/arguments.js";
import type { AnyTensor } from "../../types/objects.js";
import { client } from "../client.js";

/**
 * Sets every element of an object's tensors to a number. A list `[object, names]` selects tensors of it.
 *
 * @example
 * ```ts
 * fill([m, "head.bias"], 0);
 * ```
 */
export function fill(object: Parameters, number: number): void;
export function fill(...args: readonly unknown[]): unknown {
  return client.call("fill", args);
}

/**
 * Sets the elements of the diagonal of a matrix to a number. Of more than two dimensions, all have one size. With `wrap`, a tall matrix
 * has another diagonal after each one, a row apart.
 */
export function filldiagonal(tensor: AnyTensor, number: number, wrap?: boolean): void;
export function filldiagonal(...args: readonly unknown[]): unknown {
  return client.call("filldiagonal", args);
}

/**
 * Fills tensors with normal random numbers, by default of mean 0 and standard deviation 1. As `torch.Tensor.normal_`.
 */
export function normal(object: Parameters, mean?: number, std?: number): void;
/** As before, with the numbers by name. */
export function normal(object: Parameters, options: { readonly mean?: number; readonly std?: number }): void;
export function normal(...args: readonly unknown[]): unknown {
  return client.call("normal", args);
}

/**
 * Fills tensors with uniform random numbers, by default in [0, 1). Rounding to the dtype may reach `high`.
 */
export function uniform(object: Parameters, low?: number, high?: number): void;
/** As before, with the numbers by name. */
export function uniform(object: Parameters, options: { readonly low?: number; readonly high?: number }): void;
export function uniform(...args: readonly unknown[]): unknown {
  return client.call("uniform", args);
}

/**
 * Fills tensors with exponentials of normal random numbers, by default of mean 1 and standard deviation 2.
 */
export function lognormal(object: Parameters, mean?: number, std?: number): void;
/** As before, with the numbers by name. */
export function lognormal(object: Parameters, options: { readonly mean?: number; readonly std?: number }): void;
export function lognormal(...args: readonly unknown[]): unknown {
  return client.call("lognormal", args);
}

/**
 * Fills tensors with random numbers of the exponential distribution, by default of rate 1.
 */
export function exponential(object: Parameters, rate?: number): void;
/** As before, with the numbers by name. */
export function exponential(object: Parameters, options: { readonly rate?: number }): void;
export function exponential(...args: readonly unknown[]): unknown {
  return client.call("exponential", args);
}

/**
 * Fills tensors with random whole numbers from 1: the number of the first success of trials with probability `p`.
 */
export function geometric(object: Parameters, p: number): void;
/** As before, with the numbers by name. */
export function geometric(object: Parameters, options: { readonly p: number }): void;
export function geometric(...args: readonly unknown[]): unknown {
  return client.call("geometric", args);
}

/**
 * Fills tensors with random numbers of the Cauchy distribution, by default of median 0 and half-width 1.
 */
export function cauchy(object: Parameters, median?: number, sigma?: number): void;
/** As before, with the numbers by name. */
export function cauchy(object: Parameters, options: { readonly median?: number; readonly sigma?: number }): void;
export function cauchy(...args: readonly unknown[]): unknown {
  return client.call("cauchy", args);
}

/**
 * Fills tensors of floating point or `long` with random whole numbers from 0 up to below `high`. Without it, from 0 to the largest up to
 * which the dtype holds every whole number; for `long` below 2^53. A number that is null is left out.
 */
export function random(object: Parameters, high?: number | null): void;
/** Fills tensors with random whole numbers from `low` up to below `high`. */
export function random(object: Parameters, low: number | null, high: number | null): void;
/** As before, with the numbers by name. */
export function random(object: Parameters, options: { readonly low?: number; readonly high: number }): void;
export function random(...args: readonly unknown[]): unknown {
  return client.call("random", args);
}
