// Norms of parameters, gradients and updates of a step, by layer.

import type { AnyModule, AnyOptimizer, State, TypedTensor } from "@stepwell/sdk";
import * as k from "@stepwell/sdk";

/** A model of either layer, as its module and its optimizer. */
export interface ObservedModel {
  readonly module: AnyModule;
  readonly optimizer: AnyOptimizer;
}

/** The norms of a parameter at a step. */
export interface ParameterNorms {
  /** The dotted name. */
  readonly name: string;
  /** The norm of its elements after the step. */
  readonly weight: number;
  /** The norm of its gradient as it is in memory, before clipping; null without a gradient. */
  readonly gradient: number | null;
  /** The norm of the change of its elements by the step. */
  readonly update: number;
  /** LAMB's factor of the update; null for other optimizers. */
  readonly trustRatio: number | null;
}

/** The norms of all parameters at a step. */
export interface StepNorms {
  readonly parameters: readonly ParameterNorms[];
  /** Norms over all parameters as one vector. */
  readonly gradient: number;
  readonly update: number;
}

/** Measures norms at some steps. It copies the parameters before such a step. */
export class UpdateNorms {
  readonly #model: ObservedModel;
  #before: ReadonlyMap<string, ArrayLike<number>> | undefined;

  /** Measures the steps of a model. */
  constructor(model: ObservedModel) {
    this.#model = model;
  }

  /** Copies the parameters: the next step can be measured. */
  before(): void {
    this.#before = parametersOf(this.#model.module);
  }

  /** The norms of the step since {@link before}; undefined if that was not called. */
  after(): StepNorms | undefined {
    const before = this.#before;
    this.#before = undefined;
    if (!before) return undefined;
    const after = parametersOf(this.#model.module);
    const gradients = gradientsOf(this.#model.module);
    const lamb = lambUpdates(this.#model.optimizer, before);
    const parameters = [...after].map(([name, weights]) => {
      const gradient = gradients.get(name);
      const update = distance(weights, before.get(name) ?? []);
      const own = lamb.get(name);
      return {
        name,
        weight: norm(weights),
        gradient: gradient ? norm(gradient) : null,
        update,
        trustRatio: own && own.rate * own.norm > 0 ? update / (own.rate * own.norm) : null,
      };
    });
    const whole = (values: readonly (number | null)[]) => norm(values.map((value) => value ?? 0));
    return {
      parameters,
      gradient: whole(parameters.map(({ gradient }) => gradient)),
      update: whole(parameters.map(({ update }) => update)),
    };
  }
}

/** The elements of each parameter. */
export function parametersOf(module: AnyModule): ReadonlyMap<string, ArrayLike<number>> {
  return eachParameter(module, (parameter) => numbersOf(k.data(parameter)));
}

/** The gradient of each parameter that has one. */
export function gradientsOf(module: AnyModule): ReadonlyMap<string, ArrayLike<number>> {
  return eachParameter(module, (parameter) => {
    const gradient = k.grad(parameter);
    return gradient === undefined ? undefined : flat(gradient);
  });
}

function eachParameter(
  module: AnyModule,
  read: (parameter: k.TensorHandle) => ArrayLike<number> | undefined,
): ReadonlyMap<string, ArrayLike<number>> {
  const found = new Map<string, ArrayLike<number>>();
  k.scoped(() => {
    for (const name of k.parmnames(module)) {
      const values = read(k.parm(module, name));
      if (values) found.set(name, values);
    }
  });
  return found;
}

const numbersOf = ({ data }: TypedTensor): ArrayLike<number> =>
  data instanceof BigInt64Array ? Array.from(data, Number) : data;

const flat = (value: k.Numbers): readonly number[] => (typeof value === "number" ? [value] : value.flatMap(flat));

function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
  return Math.sqrt(sum);
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

/**
 * The norm of LAMB's update before the trust ratio, by the name of the parameter, with its learning rate. The update is
 * `m / (sqrt(v) + eps) + decay p`, with corrected averages if `unbiased`, of the parameters before the step.
 */
function lambUpdates(
  optimizer: AnyOptimizer,
  before: ReadonlyMap<string, ArrayLike<number>>,
): ReadonlyMap<string, { readonly rate: number; readonly norm: number }> {
  const found = new Map<string, { readonly rate: number; readonly norm: number }>();
  if (k.objtype(optimizer) !== "lamb") return found;
  const { options, parms } = k.state(optimizer, true) as State;
  for (const { name, parmgroup, buffers } of parms) {
    const { exp_avg: average, exp_avg_sq: square, step } = buffers;
    const parameter = before.get(name);
    if (!parameter || !isTensor(average) || !isTensor(square)) continue;
    const row = options[parmgroup] as unknown as LambRow;
    const correction1 = row.unbiased ? 1 - row.beta1 ** Number(step) : 1;
    const correction2 = row.unbiased ? Math.sqrt(1 - row.beta2 ** Number(step)) : 1;
    const decay = row.l2 ? 0 : row.decay;
    const [m, v] = [numbersOf(average), numbersOf(square)];
    let sum = 0;
    for (let i = 0; i < m.length; i++) {
      const root = Math.sqrt(v[i] as number) / correction2 + row.eps;
      sum += ((m[i] as number) / correction1 / root + decay * (parameter[i] as number)) ** 2;
    }
    found.set(name, { rate: row.lr, norm: Math.sqrt(sum) });
  }
  return found;
}

interface LambRow {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly decay: number;
  readonly unbiased: boolean;
  readonly l2?: boolean;
}

const isTensor = (buffer: unknown): buffer is TypedTensor =>
  typeof buffer === "object" && buffer !== null && "data" in buffer;
