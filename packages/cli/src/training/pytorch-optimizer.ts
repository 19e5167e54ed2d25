// The state of an optimizer as PyTorch's `state_dict()` has it: tensors `state.0.exp_avg`, and the groups as JSON in the metadata.

import type { State, TypedTensor } from "@stepwell/sdk";
import { CommandError, formatError } from "../command-error.js";
import type { TensorFile } from "../data/tensor-file.js";

/** Buffers of an optimizer that PyTorch has, too, under the same names. `step` is a number here and a tensor there. */
const buffers: Readonly<Record<string, readonly string[]>> = {
  adagrad: ["step", "sum"],
  adam: ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
  adamw: ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
  rmsprop: ["step", "square_avg", "momentum_buffer", "grad_avg"],
  sgd: ["momentum_buffer"],
};

const classes: Readonly<Record<string, string>> = {
  adagrad: "Adagrad",
  adam: "Adam",
  adamw: "AdamW",
  rmsprop: "RMSprop",
  sgd: "SGD",
};

/** Names of options in PyTorch where they differ. */
const names: Readonly<Record<string, string>> = {
  decay: "weight_decay",
  lrdecay: "lr_decay",
  init: "initial_accumulator_value",
};

/** Keys of a group of PyTorch that say how it computes, and not what. */
const technical = [
  "params",
  "param_names",
  "foreach",
  "fused",
  "capturable",
  "differentiable",
  "decoupled_weight_decay",
];

/** The options and the state of a row, as `state` has them. */
type Row = Readonly<Record<string, unknown>>;

/** The file of an optimizer's state, and the parts of the state that PyTorch's optimizer does not have. */
export function toPyTorch(state: State): { readonly file: TensorFile; readonly leftOut: readonly string[] } {
  const { optimizer, options, parms, ...others } = state as unknown as {
    readonly optimizer: string;
    readonly options: readonly Row[];
    readonly parms: readonly { readonly name: string; readonly parmgroup: number; readonly buffers: Row }[];
  } & Row;
  const known = buffers[optimizer];
  if (!known) {
    const list = Object.keys(buffers).join(", ");
    throw new CommandError(
      "ERR_UNSUPPORTED",
      `the state of ${optimizer} has no counterpart in PyTorch: expected ${list}`,
    );
  }
  if (others.averaged) {
    const remedy = "swap them back with `average`";
    throw new CommandError("ERR_UNSUPPORTED", `the parameters of the run are swapped with their averages: ${remedy}`);
  }
  const leftOut = new Set(Object.keys(others));
  const tensors = new Map<string, TypedTensor>();
  const order = options.flatMap((_, group) => parms.filter(({ parmgroup }) => parmgroup === group));
  for (const [index, row] of order.entries()) {
    for (const [name, value] of Object.entries(row.buffers)) {
      if (value === null) continue;
      if (!known.includes(name)) leftOut.add(name === "param_average" ? "average" : name);
      else tensors.set(`state.${index}.${name}`, typeof value === "number" ? scalar(value) : (value as TypedTensor));
    }
  }
  const groups = options.map((row, group) => {
    const { group: theirs, others } = groupOf(row);
    for (const name of others) leftOut.add(name);
    return { ...theirs, params: order.flatMap((row, index) => (row.parmgroup === group ? [index] : [])) };
  });
  const parameters = order.map(({ name }) => name);
  const metadata = {
    format: "pt",
    optimizer: classes[optimizer] as string,
    param_groups: JSON.stringify(groups),
    parameters: JSON.stringify(parameters),
  };
  return { file: { tensors, metadata }, leftOut: [...leftOut] };
}

/** PyTorch counts steps in 32-bit floats. */
const scalar = (value: number): TypedTensor => ({ data: Float32Array.of(value), shape: [] });

/** The group of PyTorch for a row of options, and the names of changed options that PyTorch does not have. */
function groupOf({ beta1, beta2, average = null, moments = "full", ...row }: Row) {
  const group: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) group[names[name] ?? name] = value;
  if (beta1 !== undefined) group.betas = [beta1, beta2];
  const others = [...(average === null ? [] : ["average"]), ...(moments === "full" ? [] : ["moments"])];
  return { group, others };
}

/** The state for `opt(state, module)`. `parameters` are names and sizes of the parameters that the optimizer trains, in order. */
export function fromPyTorch(
  path: string,
  { tensors, metadata }: TensorFile,
  parameters: readonly { readonly name: string; readonly size: readonly number[] }[],
): State {
  const groups = readGroups(path, metadata);
  const decoupled = groups.filter(({ decoupled_weight_decay: flag }) => flag === true).length;
  if (metadata.optimizer === "Adam" && decoupled > 0 && decoupled < groups.length) {
    throw formatError(path, `expected one "decoupled_weight_decay" in all groups, given ${decoupled} that have it`);
  }
  const type = metadata.optimizer === "Adam" && decoupled > 0 ? "AdamW" : metadata.optimizer;
  const optimizer = Object.keys(classes).find((name) => classes[name] === type);
  if (!optimizer) {
    const list = Object.values(classes).join(", ");
    throw formatError(path, `expected one of ${list} as "optimizer" in its metadata, given ${JSON.stringify(type)}`);
  }
  const given =
    metadata.parameters === undefined ? parameters.map(({ name }) => name) : parseNames(path, metadata.parameters);
  const indices = groups.flatMap(({ params }) => params as readonly number[]);
  if (indices.length !== given.length || given.length !== parameters.length) {
    const counts = `${indices.length} parameters where the model has ${parameters.length}`;
    throw formatError(path, `the optimizer has ${counts}`);
  }
  const used = new Set<string>();
  const parms = groups.flatMap(({ params }, parmgroup) =>
    (params as readonly number[]).map((index) => {
      const name = given[index] ?? "";
      const size = parameters.find((parameter) => parameter.name === name)?.size;
      if (!size) throw formatError(path, `the model has no parameter "${name}"`);
      const row = (buffers[optimizer] as readonly string[]).map((buffer) => {
        const key = `state.${index}.${buffer}`;
        const tensor = tensors.get(key);
        if (tensor) used.add(key);
        return [buffer, buffer === "step" ? stepOf(path, key, tensor) : (tensor ?? null)] as const;
      });
      const hasState = row.some(([, value]) => value !== null);
      return { parmgroup, module: "", name, size, buffers: hasState ? Object.fromEntries(row) : {} };
    }),
  );
  const surplus = [...tensors.keys()].find((name) => !used.has(name));
  if (surplus !== undefined) throw formatError(path, `the tensor "${surplus}" is not a state of ${type}`);
  const options = groups.map((group) => optionsOf(group));
  return { optimizer, options, parms } as unknown as State;
}

function readGroups(path: string, { param_groups: text }: TensorFile["metadata"]): readonly Row[] {
  try {
    const groups: unknown = JSON.parse(text ?? "");
    const isGroup = (group: Row) => Array.isArray(group.params) && group.params.every(Number.isSafeInteger);
    if (Array.isArray(groups) && groups.length > 0 && groups.every(isGroup)) return groups;
  } catch {
    // Said below.
  }
  const writer = "as `save_state` of bridges/pytorch/optimizer_state.py writes it";
  throw formatError(path, `expected the groups of an optimizer as JSON in "param_groups" of its metadata, ${writer}`);
}

function parseNames(path: string, text: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((name) => typeof name === "string")) return list;
  } catch {
    // Said below.
  }
  throw formatError(path, 'expected a list of names as "parameters" in its metadata');
}

function stepOf(path: string, key: string, tensor: TypedTensor | undefined): number | null {
  if (!tensor) return null;
  const step = tensor.data[0];
  if (tensor.data.length === 1 && Number.isSafeInteger(Number(step))) return Number(step);
  throw formatError(path, `the tensor "${key}" is not a count of steps`);
}

/** A row of options for a group of PyTorch. Unknown options are errors of `opt`. */
function optionsOf(group: Row): Row {
  const row: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(group)) {
    if (technical.includes(key)) continue;
    if (key === "betas") [row.beta1, row.beta2] = value as readonly unknown[];
    else row[Object.keys(names).find((name) => names[name] === key) ?? key] = value;
  }
  return row;
}
