// The making of a fault: one function of the SDK, replaced.

import * as k from "@stepwell/sdk";

// biome-ignore lint/suspicious/noExplicitAny: a fault has the types of what it replaces, which differ from row to row.
export type Any = any;
export type Fault = { readonly [name: string]: (...args: Any[]) => unknown };

export const nothing = () => undefined;
export const call = k as unknown as { readonly [name: string]: (...args: Any[]) => Any };

/** A function whose result is changed. */
export const after = (name: string, change: (result: Any, ...args: Any[]) => unknown): Fault => ({
  [name]: (...args) => change(call[name]?.(...args), ...args),
});

/** A function whose arguments are changed. */
export const before = (name: string, change: (...args: Any[]) => Any[]): Fault => ({
  [name]: (...args) => call[name]?.(...change(...args)),
});

export const isState = (x: unknown): x is k.ModuleState =>
  Array.isArray(x) && typeof x[0] === "object" && "parms" in x[0];
export const isHandle = (x: unknown): x is k.AnyHandle => x instanceof k.Handle;
export const isOptimizer = (x: unknown) => isHandle(x) && k.class(x) === "optimizer";

/** A copy of typed arrays that a function has changed. */
export function copied(value: Any, change: (data: Float32Array) => void): Any {
  const copy = structuredClone(value);
  const visit = (item: Any): void => {
    if (item instanceof Float32Array) change(item);
    else if (typeof item === "object" && item !== null) for (const inner of Object.values(item)) visit(inner);
  };
  visit(copy);
  return copy;
}

/** A state from a file, where tensors are base64, with zeros in place of their elements. */
export const zeroed = (state: k.State): Any =>
  JSON.parse(JSON.stringify(state), (key, item) =>
    key === "data" && typeof item === "string" ? item.replace(/[^=]/g, "A") : item,
  );

/** A module with parameters that a function has changed. */
export function changed(m: k.ModuleHandle, change: (x: number, i: number) => number): k.ModuleHandle {
  for (const name of k.parmnames(m)) {
    const parameter = k.parm(m, name);
    const { data, shape } = k.data(parameter);
    k.copyto(k.tensor(Float32Array.from(data as Float32Array, change), { shape: [...shape] }), parameter);
  }
  return m;
}

/** Makes a step of plain gradients in place of the real one. */
export function along(o: k.OptimizerHandle, rate: number): void {
  const container = k.module(o);
  for (const name of k.parmnames(container)) {
    const x = k.parm(container, name);
    const g = k.grad(x) as Any;
    const [values, slopes] = [k.data(x), (Array.isArray(g) ? g.flat(3) : [g]) as number[]];
    const moved = (values.data as Float32Array).map((v, i) => v - rate * (slopes[i] ?? 0));
    k.copyto(k.tensor(moved, { shape: [...values.shape] }), x);
    k.free(x);
  }
  k.free(container);
}
