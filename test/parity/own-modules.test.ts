import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { expectNear } from "./near.js";
import { nets } from "./own-modules.js";

type Named = Readonly<Record<string, k.Numbers>>;

interface Recording {
  readonly name: string;
  readonly parameters: Named;
  readonly buffers: Named;
  readonly state: readonly string[];
  readonly inputs: readonly k.Numbers[];
  readonly classes: number;
  readonly outputs: readonly k.Numbers[];
  readonly target: k.Numbers;
  readonly losses: readonly number[];
  readonly trained: Named;
}

const file = JSON.parse(readFileSync(new URL("./own-modules.json", import.meta.url), "utf8"));
const recordings: readonly Recording[] = file.recordings;
const tolerance = { rtol: 1e-9, atol: 1e-12 };

beforeEach(() => k.reset());

/** The net with the values of the recording, in double. */
function make({ name, parameters, buffers }: Recording): k.AnyModule {
  const m = nets[name]?.() as k.AnyModule;
  k.to(m, "double");
  for (const [key, values] of Object.entries({ ...parameters, ...buffers })) k.copyto(values, k.parm(m, key));
  return m;
}

function inputsOf({ inputs, classes }: Recording): [k.TensorHandle, ...k.TensorHandle[]] {
  const made = inputs.map((numbers) => k.tensor(numbers, classes > 0 ? "long" : "double"));
  return made as [k.TensorHandle, ...k.TensorHandle[]];
}

function outputsOf(m: k.AnyModule, inputs: [k.TensorHandle, ...k.TensorHandle[]]): readonly k.TensorHandle[] {
  const outputs: unknown = k.forward(m, ...inputs);
  return Array.isArray(outputs) ? outputs : [outputs as k.TensorHandle];
}

describe.each(recordings)("$name", (recording) => {
  const near = (what: string, ours: k.Numbers | undefined, theirs: k.Numbers) =>
    expectNear(what, ours, theirs, tolerance);
  /** One step of training by hand; returns the loss. */
  const train = (m: k.AnyModule, o: k.OptimizerHandle): number =>
    k.scoped(() => {
      const outputs = outputsOf(m, inputsOf(recording));
      const sum = outputs.length === 2 ? k.add(outputs[0] as k.TensorHandle, outputs[1] as k.TensorHandle) : outputs[0];
      const output = sum as k.TensorHandle;
      const loss =
        recording.classes > 0
          ? k.ce(k.reshape(output, [-1, recording.classes]), k.tensor(k.flatten(k.tensor(recording.target, "long"))))
          : k.mse(output, recording.target);
      k.backward(loss);
      k.step(o, { zerograd: true });
      return k.tensor(loss, { dimensions: 0 });
    });

  it("has the names and the outputs of PyTorch's module", () => {
    const m = make(recording);
    expect(k.parmnames(m)).toEqual(Object.keys(recording.parameters));
    expect(k.size(m)).toBe(Object.keys(recording.parameters).length);
    const outputs = outputsOf(m, inputsOf(recording));
    expect(outputs.length).toBe(recording.outputs.length);
    for (const [i, output] of outputs.entries())
      near(`output ${i}`, k.tensor(output), recording.outputs[i] as k.Numbers);
    const evaluated: unknown = k.evaluate(m, ...inputsOf(recording));
    const first = (Array.isArray(evaluated) ? evaluated[0] : evaluated) as k.TensorHandle;
    near("evaluated", k.tensor(first), recording.outputs[0] as k.Numbers);
  });

  it("trains as PyTorch does", () => {
    const m = make(recording);
    const o = k.opt("adam", m, 0.05);
    const losses = recording.losses.map(() => train(m, o));
    near("losses", losses, recording.losses);
    // The gradient of the keys' bias is 0 but for rounding, which Adam divides by itself.
    const rounded = { ...tolerance, atol: 1e-8 };
    for (const [name, theirs] of Object.entries(recording.trained)) {
      expectNear(name, k.tensor(k.parm(m, name)), theirs, rounded);
    }
    expect(k.state(o).parms.map((row) => row.name)).toEqual(Object.keys(recording.parameters));
  });

  it("has a copy and a state that train alike", () => {
    const m = make(recording);
    const copy = k.clone(m);
    expect(k.parmnames(copy)).toEqual(k.parmnames(m));
    const o = k.opt("adam", copy, 0.05);
    near(
      "losses",
      recording.losses.map(() => train(copy, o)),
      recording.losses,
    );
    for (const [name, values] of Object.entries(recording.parameters)) near(name, k.tensor(k.parm(m, name)), values);
    const restored = k.module(JSON.parse(JSON.stringify(k.state(m))));
    expect(k.parmnames(restored)).toEqual(k.parmnames(m));
    expect(k.names(restored)).toEqual(k.names(m));
    expect(k.state(restored)).toEqual(k.state(m));
    k.copyparms(restored, copy);
    const again = k.opt("adam", copy, 0.05);
    near(
      "losses",
      recording.losses.map(() => train(copy, again)),
      recording.losses,
    );
  });

  it.runIf(k.engine !== "wasm")("is saved and loaded under PyTorch's names", () => {
    const folder = mkdtempSync(join(tmpdir(), "stepwell-"));
    try {
      const path = join(folder, "m.safetensors");
      const m = make(recording);
      k.save(m, path);
      const header = readFileSync(path);
      const text = header.subarray(8, 8 + Number(header.readBigUInt64LE(0))).toString();
      const saved = Object.keys(JSON.parse(text)).filter((name) => name !== "__metadata__");
      expect([...saved].sort()).toEqual(
        [...Object.keys(recording.parameters), ...Object.keys(recording.buffers)].sort(),
      );
      const other = nets[recording.name]?.() as k.AnyModule;
      k.to(other, "double");
      k.load(other, path);
      const o = k.opt("adam", other, 0.05);
      near(
        "losses",
        recording.losses.map(() => train(other, o)),
        recording.losses,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it("every recording has a net", () => expect(recordings.map(({ name }) => name)).toEqual(Object.keys(nets)));
