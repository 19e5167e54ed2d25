// Every operation of the table on tensors of the device under test, against the same call on the CPU. It is called with tensors
// alone, and with numbers in place of all tensors but the first.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { operationArguments, operationNames } from "../operation-calls.js";

afterEach(() => k.free());

const device = (() => {
  const x = k.tensor([0]);
  const name = k.device(x) as k.Device;
  k.free(x);
  return name;
})();

/** Arguments in place of the tensors after the first. */
const forms = ["tensors", "numbers with a dtype", "lists"] as const;
type Form = (typeof forms)[number];

interface Outcome {
  /** Elements of all results, or the code of an error. */
  readonly numbers: readonly number[] | string;
  /** Dtypes and shapes of tensors. */
  readonly kinds: readonly unknown[];
  /** Devices of tensors. */
  readonly devices: readonly string[];
  readonly tensors: number;
}

function outcome(name: string, on: k.Device, form: Form): Outcome {
  let tensors = 0;
  const args = operationArguments(name, (made) => {
    const { data, shape } = k.data(made);
    const dtype = k.dtype(made);
    tensors++;
    // Numbers have no dtype of booleans.
    const stays = tensors === 1 || form === "tensors" || (form !== "lists" && dtype === "bool");
    if (stays) return k.tensor(data, { shape, dtype, device: on });
    return form === "lists" ? k.tensor(made) : { data, shape };
  });
  k.seed(5);
  try {
    const result = (k as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>)[name]?.(
      ...args,
    );
    const items = Array.isArray(result) ? result : [result];
    const made = items.filter((item) => item instanceof k.Handle) as k.TensorHandle[];
    return {
      numbers: items.flatMap((item) =>
        item instanceof k.Handle ? Array.from(k.data(item as k.TensorHandle).data, Number) : [Number(item)],
      ),
      kinds: made.map((tensor) => [k.dtype(tensor), k.size(tensor)]),
      devices: made.map((tensor) => k.device(tensor)),
      tensors,
    };
  } catch (error) {
    return { numbers: (error as k.StepwellError).code, kinds: [], devices: [], tensors };
  }
}

/** A GPU rounds functions and sums in another way. On the CPU matrix factors depend on the alignment of memory. */
const tolerance = device === "cpu" ? 1e-9 : 1e-4;

function expectNear(ours: Outcome["numbers"], theirs: Outcome["numbers"]): void {
  if (typeof ours === "string" || typeof theirs === "string") {
    expect(ours).toEqual(theirs);
    return;
  }
  expect(ours.length).toBe(theirs.length);
  for (const [i, number] of ours.entries()) {
    const wanted = theirs[i] as number;
    if (Object.is(number, wanted) || number === wanted) continue;
    expect(Math.abs(number - wanted), `element ${i}: ${number}, ${wanted}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(wanted)),
    );
  }
}

describe.each(forms)("every operation with %s", (form) => {
  it.each(operationNames)("%s", (name) => {
    const [there, here] = [outcome(name, device, form), outcome(name, "cpu", form)];
    expectNear(there.numbers, here.numbers);
    expect(there.kinds).toEqual(here.kinds);
    // A new tensor without an argument that says where is made on the CPU.
    expect(new Set(there.devices)).toEqual(
      new Set(there.devices.length === 0 ? [] : [there.tensors > 0 ? device : "cpu"]),
    );
    if (form === "tensors") expect(there.numbers, "an operation on tensors").not.toBe("ERR_DEVICE");
    // Numbers with a dtype are as good as a tensor.
    if (form === "numbers with a dtype") {
      const tensors = outcome(name, "cpu", "tensors");
      expectNear(here.numbers, tensors.numbers);
      expect(here.kinds).toEqual(tensors.kinds);
    }
  });
});
