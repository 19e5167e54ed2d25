// A call of each operation of the table, with the arguments of its first recording, for tests of all functions.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";

interface Recordings {
  readonly inputs: Readonly<Record<string, readonly [k.ElementType, readonly number[], readonly (number | string)[]]>>;
  readonly cases: readonly (readonly [name: string, args: readonly unknown[], options: object])[];
}

const file = fileURLToPath(new URL("parity/operations.json", import.meta.url).href.replace("/test/dist/", "/test/"));
const { inputs, cases } = JSON.parse(readFileSync(file, "utf8")) as Recordings;

/** Operations without a recording: they draw random numbers, or give vectors whose sign is free. */
const drawn: Readonly<Record<string, readonly unknown[]>> = {
  ...{ rand: [[2]], randn: [[2]], randint: [0, 3, [2]], bernoulli: ["unit"], multinomial: ["unit", 1] },
  ...{ svd: ["wide"], eigh: ["symmetric"] },
};

/** The names of all operations. */
export const operationNames: readonly string[] = k.help("tensor").map(({ operation }) => operation);

/** The arguments of the first recording of an operation, with what `tensor` gives for each tensor among them. */
export function operationArguments(name: string, tensor: (tensor: k.TensorHandle) => unknown): readonly unknown[] {
  const value = (argument: unknown): unknown => {
    const input = typeof argument === "string" ? inputs[argument.replace("!", "")] : undefined;
    if (input === undefined) return Array.isArray(argument) ? argument.map(value) : argument;
    const numbers = input[2].map((x) => (x === "inf" ? Infinity : x === "-inf" ? -Infinity : Number(x)));
    return tensor(k.tensor(Float64Array.from(numbers), { dtype: input[0], shape: input[1] }));
  };
  const row = cases.find(([recorded]) => recorded === name);
  const options = Object.keys(row?.[2] ?? {}).length > 0 ? [row?.[2]] : [];
  return (drawn[name] ?? [...(row?.[1] ?? []), ...options]).map(value);
}

/**
 * Calls an operation. `wrap` gets each tensor among the arguments, and returns the object that is passed.
 *
 * @returns the result, with tensors as numbers; the code of the error on an engine that lacks the operation
 */
export function callOperation(name: string, wrap: (tensor: k.TensorHandle) => unknown = (tensor) => tensor): unknown {
  const made: k.TensorHandle[] = [];
  const args = operationArguments(name, (tensor) => {
    made.push(tensor);
    return wrap(tensor);
  });
  const call = (k as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>)[name];
  try {
    const result = call?.(...args);
    const read = (item: unknown) => {
      if (!(item instanceof k.Handle)) return item;
      const numbers = k.data(item as k.TensorHandle);
      k.free(item as k.TensorHandle);
      return numbers;
    };
    return Array.isArray(result) ? result.map(read) : read(result);
  } catch (error) {
    if ((error as k.StepwellError).code !== "ERR_UNSUPPORTED") throw error;
    return "ERR_UNSUPPORTED";
  } finally {
    k.free(...(made.length > 0 ? made : [k.tensor(0)]));
  }
}
