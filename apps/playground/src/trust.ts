// How far a step moves each tensor of a classifier.
//
//   relative step = ‖after − before‖ / ‖before‖
//   trust ratio   = ‖before‖ / ‖u‖,   after − before = − lr · clip(trust ratio) · u
//
// u is LAMB's update before trust ratio and learning rate, from the state after the step: u = m̂ / (√v̂ + eps) + decay ·
// before. Here m̂ = exp_avg / (1 − beta1ᵗ) and v̂ = exp_avg_sq / (1 − beta2ᵗ). Unless the ratio is clipped, the relative step
// of every tensor is the learning rate, which is the purpose of LAMB. Other optimizers have
// no trust ratio.

import type { Api, ModuleHandle, OptimizerHandle, StateRow, TypedTensor } from "@stepwell/sdk";

/** A step of one tensor. */
export interface LayerStep {
  readonly name: string;
  readonly relative: number;
  /** As LAMB multiplied with it, clipped; undefined for other optimizers. */
  readonly trust: number | undefined;
}

/** Makes a step and measures it. */
export function measureStep(
  api: Api,
  classifier: ModuleHandle,
  optimizer: OptimizerHandle,
  step: () => void,
): readonly LayerStep[] {
  const names = api.parmnames(classifier);
  const read = () =>
    names.map((name) => {
      const tensor = api.parm(classifier, name);
      const { data } = api.data(tensor);
      api.free(tensor);
      return data as Float32Array;
    });
  const before = read();
  step();
  const after = read();
  const isLamb = api.objtype(optimizer) === "lamb";
  const state = isLamb ? api.state(optimizer) : undefined;
  return names.map((name, index) => {
    const [p, q] = [before[index] as Float32Array, after[index] as Float32Array];
    const row = state?.parms[index];
    const trust = row && state ? trustRatio(p, row, state.options[row.parmgroup] as never) : undefined;
    return { name, relative: norm(p.map((value, at) => (q[at] as number) - value)) / norm(p), trust };
  });
}

interface LambOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly decay: number;
  readonly unbiased: boolean;
  readonly trustclip: boolean;
  readonly trustmin: number;
  readonly trustmax: number;
}

/** The ratio that LAMB took, from a tensor before the step and its state after it. */
export function trustRatio(before: Float32Array, { buffers }: StateRow, options: LambOptions): number {
  const m = (buffers.exp_avg as TypedTensor).data as Float32Array;
  const v = (buffers.exp_avg_sq as TypedTensor).data as Float32Array;
  const steps = buffers.step as number;
  const { beta1, beta2, eps, decay, unbiased, trustclip, trustmin, trustmax } = options;
  const correction1 = unbiased ? 1 - beta1 ** steps : 1;
  const correction2 = unbiased ? 1 - beta2 ** steps : 1;
  const update = before.map(
    (p, at) => (m[at] as number) / correction1 / (Math.sqrt((v[at] as number) / correction2) + eps) + decay * p,
  );
  const [size, change] = [norm(before), norm(update)];
  const ratio = size > 0 && change > 0 ? size / change : 1;
  return trustclip ? Math.min(Math.max(ratio, trustmin), trustmax) : ratio;
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
