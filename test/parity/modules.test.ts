import { readFileSync } from "node:fs";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectNear, type Tolerance } from "./near.js";

const dtypes = supported("double", "float", "half", "bfloat16");
type Dtype = (typeof dtypes)[number];
type Named = Readonly<Record<string, k.Numbers>>;

interface Expected {
  readonly outputs?: readonly k.Numbers[];
  readonly evaluated?: k.Numbers;
  readonly loss?: number;
  readonly gradients?: Named;
  readonly inputGradient?: k.Numbers;
  readonly otherGradients?: readonly k.Numbers[];
  readonly buffers?: Named;
}

interface Recording {
  readonly name: string;
  readonly module: k.ModuleSpecification;
  readonly parameters: Named;
  readonly inputs: readonly k.Numbers[];
  /** Inputs after the first. */
  readonly others?: readonly k.Numbers[];
  readonly target: k.Numbers;
  readonly indices?: true;
  readonly random?: true;
  readonly expected: Partial<Record<Dtype, Expected>>;
}

interface Recordings {
  readonly tolerance: Record<Dtype, Tolerance>;
  readonly recordings: readonly Recording[];
}

const read = (name: string): Recordings => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
const [file, sequences] = [read("./modules.json"), read("./sequence.json")];

afterEach(() => k.free());

function make({ module, parameters }: Recording, dtype: Dtype): k.ModuleHandle {
  const m = k.module(module);
  k.to(m, dtype);
  expect(k.parmnames(m)).toEqual(Object.keys(parameters));
  for (const [name, values] of Object.entries(parameters)) k.copyto(values, k.parm(m, name));
  return m;
}

describe.each(dtypes)("in %s a module gives what PyTorch's gives", (dtype) => {
  const near = (what: string, ours: k.Numbers | undefined, theirs: k.Numbers) =>
    expectNear(what, ours, theirs, file.tolerance[dtype]);
  // PyTorch has not every module for 16 bits.
  const recorded = file.recordings.filter(({ expected }) => expected[dtype] !== undefined);
  it.each(recorded)("$name", (recording) => {
    const expected = recording.expected[dtype] as Expected;
    const m = make(recording, dtype);
    const inputs = recording.inputs.map((numbers) =>
      recording.indices ? k.tensor(numbers, "long") : k.tensor(numbers, dtype, "grad"),
    );
    const last = inputs.at(-1) as k.TensorHandle;
    const others = (recording.others ?? []).map((numbers) => k.tensor(numbers, dtype, "grad"));
    const run = (input: k.TensorHandle) => k.forward(m, input, ...others) as k.TensorHandle;
    if (!recording.random) {
      const outputs = inputs.map(run);
      for (const [i, y] of outputs.entries()) {
        expect(k.dtype(y)).toBe(dtype);
        near(`output ${i}`, k.tensor(y), expected.outputs?.[i] as k.Numbers);
      }
      const loss = k.mse(outputs.at(-1) as k.TensorHandle, recording.target);
      k.backward(loss);
      near("the loss", k.tensor(loss), expected.loss as number);
    }
    if (expected.evaluated !== undefined) near("evaluated", k.tensor(k.evaluate(m, last)), expected.evaluated);
    if (expected.inputGradient !== undefined) near("input gradient", k.grad(last), expected.inputGradient);
    for (const [i, theirs] of (expected.otherGradients ?? []).entries()) {
      near(`gradient of input ${i + 1}`, k.grad(others[i] as k.TensorHandle), theirs);
    }
    for (const [name, theirs] of Object.entries(expected.gradients ?? {})) {
      near(`gradient of ${name}`, k.grad(k.parm(m, name)), theirs);
    }
    for (const [name, theirs] of Object.entries(expected.buffers ?? {})) {
      near(name, k.tensor(k.parm(m, name)), theirs);
    }
  });
});

it("every kind of module is replayed", () => {
  const kinds = (module: k.ModuleSpecification): readonly string[] => {
    if (typeof module === "string") return [k.objtype(k.module(module))];
    if ("children" in module) return module.children.flatMap(kinds);
    // A module has the kind that its name stands for.
    return 0 in module ? [k.objtype(k.module(module))] : [];
  };
  const replayed = new Set(
    [...file.recordings, ...sequences.recordings].flatMap((recording) => kinds(recording.module)),
  );
  // Containers have recordings of their own, and so has `cat`, which joins their branches.
  const names = k.help("module").flatMap((row) => (row.module in k.layers && row.module !== "cat" ? [row.module] : []));
  expect([...replayed].filter((kind) => kind in k.layers).sort()).toEqual(names.sort());
});
