// Samples of a training: inputs with a target each, from tables or arrays.

import { CommandError, formatError } from "../command-error.js";
import { elementCount, type NumberArray } from "./arrays.js";
import { type Cell, repeated, type Table } from "./table.js";

/** Inputs and targets of the samples of a file. */
export interface Samples {
  /** The number of samples. */
  readonly count: number;
  /** Inputs in row-major order. */
  readonly inputs: Float32Array;
  /** Sizes of one input. */
  readonly inputShape: readonly number[];
  /** Numbers, or classes from 0. */
  readonly targets: Float32Array | BigInt64Array;
  /** Sizes of one target; empty for a class. */
  readonly targetShape: readonly number[];
  /** The texts that classes stand for, in the order of the classes. */
  readonly classes: readonly string[] | null;
  /** The columns that they come from; null for arrays. */
  readonly columns: Columns | null;
}

/** Columns of a table. */
export interface Columns {
  readonly features: readonly string[];
  readonly target: readonly string[];
  /** Whether the table has other columns. */
  readonly hasOthers: boolean;
}

/** The choice of inputs and targets in a file. */
export interface Selection {
  /** Columns, or the name of a tensor. Default: all other columns, the key `inputs`, the tensor `inputs`. */
  readonly features: readonly string[] | null;
  /** Columns, or the name of a tensor. Default: the last column, the key `targets`, the tensor `targets`. */
  readonly target: readonly string[] | null;
  /** Whether targets are classes. Null: texts, and integers of a file of arrays, are. */
  readonly areClasses: boolean | null;
  /** The samples that are trained on, if these are for validation: they have the same columns and classes. */
  readonly training: Samples | null;
}

/** Samples of a table. */
export function samplesOfTable(path: string, table: Table, selection: Selection): Samples {
  const columns = columnsOf(path, table, selection);
  const inputs = numberColumns(path, table, columns.features);
  return {
    count: table.rows.length,
    inputs: inputs.data,
    inputShape: inputs.shape,
    columns,
    ...targetsOf(path, table, columns.target, selection),
  };
}

/** The columns of inputs and targets. Those of the training data are found by name, in any order. */
function columnsOf(path: string, { names }: Table, { training, ...given }: Selection): Columns {
  const known = training?.columns;
  const target = known?.target ?? given.target ?? [names.includes("targets") ? "targets" : (names.at(-1) as string)];
  const [all, targets] = [new Set(names), new Set(target)];
  const others = names.filter((name) => !targets.has(name));
  const features = known?.features ?? given.features ?? (others.includes("inputs") ? ["inputs"] : others);
  const absent = [...target, ...features].find((name) => !all.has(name));
  if (absent !== undefined) {
    const expected = known ? `expected the column "${absent}" of the training data` : `expected a column "${absent}"`;
    throw formatError(path, `${expected}, given ${names.slice(0, 12).join(", ")}`);
  }
  const chosen = [...features, ...target];
  const twice = repeated(chosen);
  if (twice !== undefined) {
    const isBoth = features.includes(twice) && target.includes(twice);
    throw formatError(path, `the column "${twice}" is ${isBoth ? "a feature and the target" : "named twice"}`);
  }
  if (features.length === 0)
    throw formatError(path, "expected a column of features in addition to the target, given none");
  const used = new Set(chosen);
  const surplus = names.find((name) => !used.has(name));
  // Without --features each column is a feature, so this one would be, too.
  if (surplus !== undefined && known && !known.hasOthers) {
    throw formatError(
      path,
      `the training data has no column "${surplus}"; --features names the columns that both have`,
    );
  }
  return { features, target, hasOthers: surplus !== undefined };
}

/** Numbers of columns side by side. A column of lists stands alone, and keeps its shape. */
function numberColumns(path: string, table: Table, names: readonly string[]) {
  const places = new Map(table.names.map((name, index) => [name, index]));
  const columns = names.map((name) => places.get(name) as number);
  const first = table.rows[0]?.[columns[0] as number];
  const shape = names.length === 1 && typeof first === "object" ? first.shape : [names.length];
  const width = elementCount(shape);
  const data = new Float32Array(table.rows.length * width);
  for (const [row, cells] of table.rows.entries()) {
    for (const [index, column] of columns.entries()) {
      const cell = cells[column] as Cell;
      const at = `line ${table.lines[row]}, "${names[index]}"`;
      if (typeof cell === "object") {
        const fits = names.length === 1 && String(cell.shape) === String(shape);
        if (!fits)
          throw formatError(
            path,
            `${at}: expected ${expectedCell(shape, names)}, given a list [${cell.shape.join(", ")}]`,
          );
        data.set(cell.data, row * width);
      } else if (typeof cell === "number" && Number.isFinite(cell) && typeof first !== "object") {
        data[row * width + index] = cell;
      } else {
        throw formatError(path, `${at}: expected ${expectedCell(shape, names)}, given ${shown(cell)}`);
      }
    }
  }
  const infinite = data.findIndex((value) => !Number.isFinite(value));
  if (infinite >= 0) {
    const row = Math.floor(infinite / width);
    const name = names[names.length === 1 ? 0 : infinite % width] as string;
    const cell = table.rows[row]?.[table.names.indexOf(name)] as Cell;
    const given = typeof cell === "object" ? "one that does not" : shown(cell);
    const at = `line ${table.lines[row]}, "${name}"`;
    throw formatError(path, `${at}: expected numbers that fit into 32 bits, given ${given}`);
  }
  return { data, shape };
}

const expectedCell = (shape: readonly number[], names: readonly string[]) =>
  names.length === 1 && shape.length > 0 && shape[0] !== 1 ? `a list [${shape.join(", ")}]` : "a number";

const shown = (cell: Cell) => {
  if (cell === "") return "nothing";
  return typeof cell === "string" ? `"${cell.slice(0, 40)}"` : String(cell);
};

type Targets = Pick<Samples, "targets" | "targetShape" | "classes">;

function targetsOf(path: string, table: Table, names: readonly string[], selection: Selection): Targets {
  const [name = ""] = names;
  const column = table.names.indexOf(name);
  const cells = table.rows.map((row) => row[column] as Cell);
  const areTexts = names.length === 1 && cells.some((cell) => typeof cell === "string");
  const { training } = selection;
  if (!training && selection.areClasses === null && areTexts) requireTexts(path, table, cells, name);
  const areClasses = training ? areClassesOf(training) : (selection.areClasses ?? areTexts);
  if (!areClasses) {
    const { data, shape } = numberColumns(path, table, names);
    return { targets: data, targetShape: shape, classes: null };
  }
  if (names.length !== 1) throw formatError(path, `expected one target of classes, given ${names.length} columns`);
  const at = (row: number) => `line ${table.lines[row]}, "${name}"`;
  if (training ? training.classes === null : !areTexts) {
    const values = cells.map((cell, row) => wholeClass(path, at(row), cell));
    return { targets: BigInt64Array.from(values, BigInt), targetShape: [], classes: null };
  }
  // A class such as 4 in a column of texts is the text "4".
  const texts = cells.map((cell, row) => {
    if (typeof cell === "object" || cell === "")
      throw formatError(path, `${at(row)}: expected a class, given ${shown(cell)}`);
    return table.texts?.[row]?.[column]?.trim() ?? String(cell);
  });
  const classes = training?.classes ?? [...new Set(texts)].sort();
  const numbers = new Map(classes.map((text, index) => [text, BigInt(index)]));
  const targets = BigInt64Array.from(texts, (text, row) => {
    const number = numbers.get(text);
    if (number === undefined) throw formatError(path, `${at(row)}: the class "${text}" is not in the training data`);
    return number;
  });
  return { targets, targetShape: [], classes };
}

const areClassesOf = ({ targets }: Samples) => targets instanceof BigInt64Array;

/** Fails for a text among numbers: as classes, they would be a class for each number. */
function requireTexts(path: string, table: Table, cells: readonly Cell[], name: string): void {
  const numbers = cells.filter((cell) => typeof cell === "number");
  if (2 * numbers.length < cells.length) return;
  const row = cells.findIndex((cell) => typeof cell === "string");
  const at = `line ${table.lines[row]}, "${name}"`;
  const instead = "--loss ce takes numbers and texts as classes";
  throw formatError(path, `${at}: expected a number, given ${shown(cells[row] as Cell)}; ${instead}`);
}

function wholeClass(path: string, at: string, value: unknown): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  throw formatError(path, `${at}: expected a class from 0 up, given ${shown(value as Cell)}`);
}

/** Samples of an array of inputs and an array of targets, along their first dimension. */
export function samplesOfArrays(
  path: string,
  inputs: NumberArray,
  targets: NumberArray,
  { areClasses, training }: Selection,
  targetsPath = path,
): Samples {
  if (training?.classes) throw formatError(path, "expected classes of texts as in the training data, given numbers");
  const count = inputs.shape[0] ?? 0;
  if (count === 0) throw formatError(path, "expected samples along the first dimension, given none");
  if (targets.shape[0] !== count) {
    throw new CommandError(
      "ERR_SHAPE",
      `${path}: expected as many targets as inputs, ${count}, given ${targets.shape[0] ?? "a number"}`,
    );
  }
  const numbers = Float32Array.from(inputs.data);
  const notFinite = numbers.findIndex((value) => !Number.isFinite(value));
  if (notFinite >= 0)
    throw formatError(path, `expected finite inputs, given ${inputs.data[notFinite]} at element ${notFinite}`);
  const base = { count, inputs: numbers, inputShape: inputs.shape.slice(1), classes: null, columns: null };
  if (training ? areClassesOf(training) : (areClasses ?? targets.isInteger)) {
    if (elementCount(targets.shape) !== count) {
      throw new CommandError(
        "ERR_SHAPE",
        `${path}: expected a class for each input, given targets [${targets.shape.join(", ")}]`,
      );
    }
    const values = Array.from(targets.data, (value, index) => wholeClass(targetsPath, `target ${index}`, value));
    return { ...base, targets: BigInt64Array.from(values, BigInt), targetShape: [] };
  }
  const target = Array.from(targets.data).findIndex((value) => !Number.isFinite(value));
  if (target >= 0)
    throw formatError(targetsPath, `expected finite targets, given ${targets.data[target]} at element ${target}`);
  // A loss compares outputs [n, 1] with targets of the same shape; [n] would be broadcast.
  const targetShape = targets.shape.length === 1 ? [1] : targets.shape.slice(1);
  return { ...base, targets: Float32Array.from(targets.data), targetShape };
}

/** The samples at some indices. */
export function subset(samples: Samples, indices: ArrayLike<number>): Samples {
  const [width, targetWidth] = [elementCount(samples.inputShape), elementCount(samples.targetShape)];
  const inputs = new Float32Array(indices.length * width);
  const isLong = samples.targets instanceof BigInt64Array;
  const targets = isLong
    ? new BigInt64Array(indices.length * targetWidth)
    : new Float32Array(indices.length * targetWidth);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] as number;
    inputs.set(samples.inputs.subarray(from * width, (from + 1) * width), i * width);
    const part = samples.targets.subarray(from * targetWidth, (from + 1) * targetWidth);
    (targets as Float32Array).set(part as Float32Array, i * targetWidth);
  }
  return { ...samples, count: indices.length, inputs, targets };
}

/** Means and deviations of inputs: of each feature for samples of one dimension, else one of all elements. */
export interface Scaling {
  readonly means: readonly number[];
  readonly deviations: readonly number[];
}

/** The scaling that gives samples a mean of 0 and a deviation of 1. A feature that is constant keeps its size. */
export function scalingOf({ inputs, inputShape }: Samples): Scaling {
  const width = inputShape.length === 1 ? (inputShape[0] as number) : 1;
  const count = inputs.length / width;
  const means = new Array<number>(width).fill(0);
  const deviations = new Array<number>(width).fill(0);
  for (const [i, value] of inputs.entries()) means[i % width] = (means[i % width] as number) + value / count;
  for (const [i, value] of inputs.entries()) {
    deviations[i % width] = (deviations[i % width] as number) + (value - (means[i % width] as number)) ** 2 / count;
  }
  return { means, deviations: deviations.map((square) => Math.sqrt(square) || 1) };
}

/** The samples with scaled inputs. */
export function scaled(samples: Samples, { means, deviations }: Scaling): Samples {
  const width = means.length;
  const inputs = samples.inputs.map(
    (value, i) => (value - (means[i % width] as number)) / (deviations[i % width] as number),
  );
  return { ...samples, inputs };
}
