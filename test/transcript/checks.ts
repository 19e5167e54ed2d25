// Checks after a line of the page that shows nothing.

import { ok, deepStrictEqual as same } from "node:assert/strict";
import type * as k from "@stepwell/sdk";
import { firstStep, type Layer, worked } from "./classifier.js";
import type { Sdk } from "./line.js";

/** Fails unless two lists of numbers are equal to five digits, or to a hundred-thousandth of the largest. */
export function near(what: string, found: Iterable<number | bigint>, expected: readonly number[]): void {
  const numbers = Array.from(found, Number);
  same(numbers.length, expected.length, `${what}: how many numbers`);
  const scale = Math.max(...expected.map(Math.abs), 0);
  numbers.forEach((x, i) => {
    const wanted = expected[i] ?? Number.NaN;
    ok(Math.abs(x - wanted) <= 1e-5 * Math.max(Math.abs(wanted), scale), `${what}[${i}] is ${x}, and not ${wanted}`);
  });
}

/** The elements of a new handle, which is freed. */
export function elementsOf(k: Sdk, make: () => k.TensorHandle): number[] {
  const tensor = make();
  try {
    return Array.from(k.data(tensor).data, Number);
  } finally {
    k.free(tensor);
  }
}

/** An optimizer's name, the options of each group as far as they are given, and the names of its parameters in order. */
export function optimizerIs(
  k: Sdk,
  o: k.OptimizerHandle,
  name: k.OptimizerName,
  groups: readonly k.OptionRow[],
  parameters: readonly string[],
): void {
  same([k.class(o), k.objtype(o), k.size(o)], ["optimizer", name, parameters.length]);
  const { optimizer, options, parms } = k.opt(o);
  same(optimizer, name);
  same(
    options.map((row, i) => Object.fromEntries(Object.keys(groups[i] ?? {}).map((key) => [key, row[key as never]]))),
    groups,
  );
  same(
    parms.map((row) => row.name),
    parameters,
  );
  same(new Set(parms.map((row) => row.pointer)).size, parameters.length, "parameters are told apart");
}

/** A module's parameters with their sizes; as it was drawn: within the bounds of PyTorch's layer, and all different. */
export function moduleIs(k: Sdk, m: k.ModuleHandle, parameters: { readonly [name: string]: readonly number[] }): void {
  same(k.class(m), "module");
  same([...k.parmnames(m)], Object.keys(parameters));
  for (const [name, shape] of Object.entries(parameters)) {
    const parameter = k.parm(m, name);
    same([...k.size(parameter)], [...shape], name);
    same(k.gradflag(parameter), true, `${name} is trained`);
    const { data } = k.data(parameter);
    k.free(parameter);
    const inputs = parameters[name.replace(/bias$/, "weight")]?.[1] ?? 0;
    const bound = 1 / Math.sqrt(inputs);
    const numbers = Array.from(data, Number);
    ok(
      numbers.every((x) => Math.abs(x) <= bound) && Math.max(...numbers.map(Math.abs)) > bound / 2,
      `${name} is drawn`,
    );
    ok(new Set(numbers).size > 0.9 * numbers.length, `${name} is drawn anew for each element`);
  }
}

/** A module is where it was moved to. */
export function moved(k: Sdk, m: k.ModuleHandle, device: k.Device): void {
  const [name = ""] = k.parmnames(m);
  const read = () => elementsOf(k, () => k.parm(m, name));
  const is = (what: "device" | "dtype") => {
    const parameter = k.parm(m, name);
    try {
      return k[what](parameter);
    } finally {
      k.free(parameter);
    }
  };
  same(is("device"), device === "cuda" ? "cuda:0" : "cpu");
  // On a machine without a GPU that is where it was before; the same function converts, which can be seen everywhere.
  const before = read();
  k.to(m, "double");
  same(is("dtype"), "double");
  k.to(m, device, "float");
  same([is("dtype"), read()], ["float", before]);
}

/** Calls on a handle that was freed. */
export function freed(k: Sdk, handle: k.AnyHandle): void {
  let code: unknown;
  try {
    k.class(handle);
  } catch (error) {
    code = error instanceof k.StepwellError ? error.code : error;
  }
  same(code, "ERR_HANDLE_FREED");
}

/** Every object is gone. */
export function allFreed(k: Sdk, ...handles: readonly k.AnyHandle[]): void {
  same(k.handlecount(), 0);
  for (const handle of handles) freed(k, handle);
}

/** A classifier on rows of ones, followed from its weights to its first step. */
export class Followed {
  readonly #k: Sdk;
  readonly #names: readonly string[];
  readonly #before: readonly (readonly number[])[];
  readonly #layers: readonly Layer[];

  /** The linear layers of these modules, in the order in which they run, from their weights as they are. */
  constructor(k: Sdk, modules: readonly k.ModuleHandle[], relu: boolean) {
    this.#k = k;
    this.#names = modules.flatMap((m) => [...k.parmnames(m)]);
    const tensors = modules.flatMap((m) =>
      k.parmnames(m).map((name) => {
        const parameter = k.parm(m, name);
        const read = k.tensor(parameter);
        k.free(parameter);
        return read;
      }),
    );
    this.#before = tensors.map((tensor) => (tensor as number[][]).flat());
    this.#layers = Array.from({ length: tensors.length / 2 }, (_, i) => ({
      weight: tensors[2 * i] as number[][],
      bias: tensors[2 * i + 1] as number[],
      relu,
    }));
  }

  /** Each row of the outputs. */
  output(y: k.TensorHandle): void {
    const { data, shape } = this.#k.data(y);
    const { output } = worked(this.#layers, [0]);
    same([...shape], [20, output.length]);
    for (let row = 0; row < 20; row++) {
      near("output", data.subarray(row * output.length, (row + 1) * output.length) as Float32Array, output);
    }
  }

  /** The loss as one number, the mean over the rows. */
  loss(z: k.TensorHandle, classes: readonly number[]): void {
    same([...this.#k.size(z)], []);
    near("loss", [this.#k.tensor(z) as number], [worked(this.#layers, classes).loss]);
  }

  /** The gradient of each parameter. */
  gradients(modules: readonly k.ModuleHandle[], classes: readonly number[]): void {
    const k = this.#k;
    const { gradients } = worked(this.#layers, classes);
    const found = modules.flatMap((m) =>
      k.parmnames(m).map((name) => {
        const parameter = k.parm(m, name);
        const gradient = (k.grad(parameter) as number[][]).flat();
        k.free(parameter);
        return gradient;
      }),
    );
    for (const [i, gradient] of gradients.entries()) near(`gradient of ${this.#names[i]}`, found[i] ?? [], gradient);
  }

  /** AdamW's first step with these rates, one for each layer: its parameters and its state. */
  firstStep(
    o: k.OptimizerHandle,
    modules: readonly k.ModuleHandle[],
    classes: readonly number[],
    rates: number[],
  ): void {
    const k = this.#k;
    const { gradients } = worked(this.#layers, classes);
    const values = modules.flatMap((m) => k.parmnames(m).map((name) => elementsOf(k, () => k.parm(m, name))));
    const { parms } = k.state(o);
    for (const [i, gradient] of gradients.entries()) {
      const name = this.#names[i] ?? "";
      const lr = rates[i >> 1] ?? Number.NaN;
      // Where a gradient is nearly 0 its sign is decided by rounding, and so is the step.
      const sure = gradient.map((g) => g === 0 || Math.abs(g) > 1e-6);
      const only = (numbers: readonly number[]) => numbers.filter((_, j) => sure[j]);
      const wanted = gradient.map((g, j) =>
        firstStep(this.#before[i]?.[j] ?? Number.NaN, g, { lr, decay: 0.01, eps: 1e-8 }),
      );
      near(`${name} after the step`, only(values[i] ?? []), only(wanted));
      ok(gradient.every((g) => g === 0) || values[i]?.some((x, j) => x !== this.#before[i]?.[j]), `${name} has moved`);
      const { step, exp_avg, exp_avg_sq, max_exp_avg_sq, ...rest } = parms[i]?.buffers ?? {};
      same([step, max_exp_avg_sq, rest], [1, null, {}], `${name}: what is remembered`);
      const mean = (buffer: unknown) => (buffer as k.TypedTensor).data as Float32Array;
      near(
        `exp_avg of ${name}`,
        mean(exp_avg),
        gradient.map((g) => 0.1 * g),
      );
      near(
        `exp_avg_sq of ${name}`,
        mean(exp_avg_sq),
        gradient.map((g) => 0.001 * g * g),
      );
    }
  }
}

/** The elements of every parameter by its name, as they are read one by one. */
export const weights = (k: Sdk, m: k.ModuleHandle) =>
  k.parmnames(m).map((name) => [name, elementsOf(k, () => k.parm(m, name))] as const);

/** A state without pointers, which differ. */
export const withoutPointers = ({ parms, ...state }: k.State) => ({
  ...state,
  parms: parms.map(({ pointer: _, ...row }) => row),
});

/**
 * The state of a restored optimizer, with a pointer of 0 where an earlier state has the same one. libtorch may give a new tensor
 * the address of a freed tensor, which the page does not show. The optimizer names the pointers of its parameters.
 */
export function withNewPointers(k: Sdk, o: k.OptimizerHandle, earlier: k.State): k.State {
  const state = k.state(o);
  const pointers = (rows: readonly { readonly pointer: number }[]) => rows.map(({ pointer }) => pointer);
  same(pointers(state.parms), pointers(k.opt(o).parms), "the pointers of the restored parameters");
  const used = new Set(pointers(earlier.parms));
  return { ...state, parms: state.parms.map((row) => (used.has(row.pointer) ? { ...row, pointer: 0 } : row)) };
}
