import { readdirSync, readFileSync } from "node:fs";
import { free, grad, help, nograd, type OptimizerName, opt, step, type TensorHandle, tensor } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";

type Flat = readonly number[];
type Options = Record<string, number | boolean | string | null>;
type Dtype = "double" | "float";
interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** A function to be minimised, or its negative to be maximised. */
type Objective = `${"" | "negated "}${"rosenbrock" | "quadratic"}`;

interface Recording {
  readonly name: string;
  readonly options: Options;
  readonly dtype: Dtype;
  readonly parameters?: readonly Flat[];
  readonly gradients?: readonly (readonly Flat[])[];
  readonly missing?: readonly (readonly [step: number, parameter: number])[];
  readonly zero?: readonly (readonly [step: number, parameter: number])[];
  readonly groups?: readonly { readonly parameters: readonly number[]; readonly options: Options }[];
  readonly edits?: Record<string, Options>;
  readonly edits1?: Record<string, Options>;
  readonly expected: Record<string, readonly Flat[]>;
  readonly tolerance?: Tolerance;
  readonly objective?: Objective;
  readonly steps?: number;
  readonly losses?: readonly number[];
  readonly evaluations?: readonly number[];
}

interface Recordings {
  readonly optimizer: OptimizerName;
  readonly tolerance: Record<Dtype, Tolerance>;
  readonly data: Record<
    Dtype,
    { readonly parameters: readonly Flat[]; readonly gradients: readonly (readonly Flat[])[] }
  >;
  readonly recordings: readonly Recording[];
}

// Compiled or not, the test runs where the recordings are.
const folder = new URL("./recordings/", import.meta.url);
const files: readonly Recordings[] = readdirSync(folder).map((name) =>
  JSON.parse(readFileSync(new URL(name, folder), "utf8")),
);

/** Stepwell's own implementation of every optimizer, and libtorch's if it has one. */
const implementations = files.flatMap((file) =>
  differences.implementations.filter((fused) => fused || file.optimizer !== "lamb").map((fused) => ({ file, fused })),
);

/** f64: 1e-12 after one step and 1e-9 later, unless a recording carries fewer digits; f32: `assert_close` defaults. */
function toleranceOf(file: Recordings, recording: Recording, stepNumber: number): Tolerance {
  if (recording.tolerance) return recording.tolerance;
  if (recording.dtype === "float") return file.tolerance.float;
  // One step of L-BFGS is up to 20 iterations.
  const isFirst = stepNumber === 1 && file.optimizer !== "lbfgs";
  return isFirst ? { rtol: 1e-12, atol: 1e-15 } : { rtol: 1e-9, atol: 1e-12 };
}

function expectNear(file: Recordings, recording: Recording, stepNumber: number, tensors: readonly TensorHandle[]) {
  const expected = recording.expected[String(stepNumber)];
  if (!expected) return;
  const { rtol, atol } = toleranceOf(file, recording, stepNumber);
  for (const [p, wanted] of expected.entries()) {
    const ours = tensor(tensors[p] as TensorHandle) as Flat;
    for (const [i, value] of wanted.entries()) {
      const distance = Math.abs((ours[i] as number) - value);
      if (!(distance <= atol + rtol * Math.abs(value))) {
        expect.fail(`step ${stepNumber} [${p}][${i}]: ${ours[i]} instead of ${value}`);
      }
    }
  }
}

/** An optimizer of the parameters, in the groups of the recording or in one. */
function makeOptimizer(file: Recordings, recording: Recording, fused: boolean, tensors: readonly TensorHandle[]) {
  const { groups, options } = recording;
  if (!groups) {
    const optimizer = opt(file.optimizer, { fused });
    opt(optimizer, 0, [], options);
    for (const parameter of tensors) opt(optimizer, 0, parameter);
    return optimizer;
  }
  const optimizer = opt(file.optimizer, { ...options, fused });
  for (const [index, group] of groups.entries()) {
    for (const p of group.parameters) opt(optimizer, index, tensors[p] as TensorHandle, group.options);
  }
  return optimizer;
}

function replay(file: Recordings, recording: Recording, fused: boolean) {
  const { parameters, gradients } = { ...file.data[recording.dtype], ...recording };
  const has = (places: Recording["missing"], s: number, p: number) => places?.some(([a, b]) => a === s && b === p);
  const tensors = parameters.map((values) => tensor(values, "grad", recording.dtype));
  const optimizer = makeOptimizer(file, recording, fused, tensors);
  for (const [index, rows] of gradients.entries()) {
    const number = index + 1;
    for (const [group, edits] of [recording.edits, recording.edits1].entries()) {
      const edit = edits?.[String(number)];
      if (edit) opt(optimizer, group, [], edit);
    }
    for (const [p, parameter] of tensors.entries()) {
      const row = rows[p] as Flat;
      if (has(recording.missing, number, p)) nograd(parameter);
      else grad(parameter, has(recording.zero, number, p) ? row.map(() => 0) : row);
    }
    step(optimizer);
    expectNear(file, recording, number, tensors);
  }
}

/** The objectives of the recordings, in their order of operations and in the dtype of the recording. */
function evaluate(objective: Objective, x: Flat, round: (value: number) => number): { loss: number; gradient: Flat } {
  if (objective.startsWith("negated ")) {
    const { loss, gradient } = evaluate(objective.slice("negated ".length) as Objective, x, round);
    return { loss: -loss, gradient: gradient.map((value) => -value) };
  }
  const gradient = x.map(() => 0);
  const at = (list: Flat, i: number) => list[i] as number;
  let loss = 0;
  if (objective === "quadratic") {
    for (const [i, value] of x.entries()) {
      const c = i + 1;
      const d = round(value - 1);
      loss = round(loss + round(round(0.5 * c) * round(d * d)));
      gradient[i] = round(c * d);
    }
    return { loss, gradient };
  }
  for (let i = 0; i + 1 < x.length; i++) {
    const a = round(at(x, i + 1) - round(at(x, i) * at(x, i)));
    const b = round(1 - at(x, i));
    loss = round(loss + round(round(round(100 * a) * a) + round(b * b)));
    gradient[i] = round(at(gradient, i) + round(round(round(-400 * a) * at(x, i)) - round(2 * b)));
    gradient[i + 1] = round(at(gradient, i + 1) + round(200 * a));
  }
  return { loss, gradient };
}

function replayClosure(file: Recordings, recording: Recording, fused: boolean) {
  const round = recording.dtype === "float" ? Math.fround : (value: number) => value;
  const tensors = (recording.parameters ?? []).map((values) => tensor(values, "grad", recording.dtype));
  const optimizer = opt("lbfgs", { fused });
  opt(optimizer, 0, [], recording.options);
  for (const parameter of tensors) opt(optimizer, parameter);
  let evaluations = 0;
  const { objective = "quadratic" } = recording;
  const closure = () => {
    evaluations += 1;
    const values = tensors.map((parameter) => tensor(parameter) as Flat);
    const { loss, gradient } = evaluate(objective, values.flat(), round);
    let start = 0;
    for (const [p, parameter] of tensors.entries()) {
      const { length } = values[p] as Flat;
      grad(parameter, gradient.slice(start, start + length));
      start += length;
    }
    return loss;
  };
  for (let number = 1; number <= (recording.steps ?? 0); number++) {
    const edit = recording.edits?.[String(number)];
    if (edit) opt(optimizer, 0, [], edit);
    const loss = step(optimizer, closure);
    if (!fused && searchesOn.has(recording.name) && evaluations > (recording.evaluations?.[number - 1] ?? 0)) return;
    expect(evaluations).toBe(recording.evaluations?.[number - 1]);
    if (number === 1) expect(loss).toBe(recording.losses?.[0]);
    expectNear(file, recording, number, tensors);
  }
}

/**
 * Recordings that reach the evaluation limit of a step in the middle of a line search. Python's search and Stepwell's end
 * there; libtorch's C++ search goes on to its own end.
 */
const searchesOn = new Set(["rosenbrock: iter strong_wolfe", "rosenbrock: eval strong_wolfe"]);

/** True if the recording sets an extension, an option that the k-api and libtorch do not have. */
function usesExtension(file: Recordings, { options, groups = [], edits = {}, edits1 = {} }: Recording) {
  const known = help(file.optimizer);
  const edited = [edits, edits1].flatMap((rows) => Object.values(rows));
  const rows = [options, ...groups.map((group) => group.options), ...edited];
  return rows.some((row) => Object.keys(row).some((name) => !(name in known)));
}

afterEach(() => free());

describe.each(implementations)("$file.optimizer, fused $fused, follows PyTorch", ({ file, fused }) => {
  it.each(file.recordings.filter((recording) => fused || !usesExtension(file, recording)))(
    "$dtype: $name",
    (recording) => {
      if (file.optimizer === "lbfgs") replayClosure(file, recording, fused);
      else replay(file, recording, fused);
    },
  );
});

it.each(implementations.filter(({ fused }) => !fused))(
  "$file.optimizer of libtorch refuses what it lacks",
  ({ file }) => {
    const [optimizer, fused] = [file.optimizer, { fused: false } as const];
    expect(() => opt(optimizer, { maximize: true, ...fused })).toThrow(`${optimizer} maximize: expected the default`);
    const made = opt(optimizer, fused);
    expect(() => opt(made, 0, [], { maximize: true })).toThrow(expect.objectContaining({ code: "ERR_OPTION_RANGE" }));
    opt(made, 0, [], { maximize: false });
  },
);
