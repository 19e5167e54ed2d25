// Validates the position of a training, which may come from a file. Each entry is read once.

import { KEY_WORDS } from "../../data/random-words.js";
import { StepwellError } from "../../errors.js";
import { describeValue } from "../../values/describe.js";
import { generatorNumbers } from "../../values/generator.js";
import { isDictionary, isList } from "../../values/plain-data.js";
import { refuse } from "../../values/refuse.js";
import type { EpochFigures, Figures, TrainingPosition } from "./fit-types.js";

const where = "fit: resume";
const expected = `${where}: expected a position of a training, version 1`;

/** The whole numbers of a position, each with the least that it can be. */
const wholeNumbers = { epoch: 1, step: 0, taken: 0, buffer: 1, waited: 0 } as const;

/** The entries of a position, as {@link TrainingPosition} has them. */
const names = ["version", ...Object.keys(wholeNumbers), "data", "key", "total", "generator", "sums", "epochs", "best"];

/** A valid position, as a copy but for the weights. */
export function readPosition(given: unknown): TrainingPosition {
  if (!isPlain(given)) throw new StepwellError("ERR_ARGUMENT", `${expected}, given ${describeValue(given)}`);
  const position = { ...given };
  if (position.version !== 1) {
    throw new StepwellError("ERR_FORMAT", `${expected}, given version ${describeValue(position.version)}`);
  }
  const missing = names.find((name) => position[name] === undefined);
  if (missing !== undefined) throw wrong("all of its entries", `none as ${missing}`);
  const unknown = Object.keys(position).find((name) => !names.includes(name));
  if (unknown !== undefined) throw wrong(`the entries ${names.join(", ")}`, unknown);
  for (const [name, least] of Object.entries(wholeNumbers)) {
    if (!isWhole(position[name], least)) refuse(`${where}: ${name}`, `a whole number >= ${least}`, position[name]);
  }
  const { epoch, taken, data, key, total, generator, buffer } = position as unknown as TrainingPosition;
  if (!["memory", "samples", "batches"].includes(data)) throw wrong("memory, samples or batches as data", data);
  const isKey = isList(key) && [0, KEY_WORDS].includes(key.length) && key.every(isWord);
  if (!isKey || (data !== "memory" && buffer > 1 && taken > 0 && key.length === 0)) {
    throw wrong(`${KEY_WORDS} words of 32 bits as key`, key);
  }
  if (total !== null && !isWhole(total, 1)) throw wrong("a whole number >= 1 or null as total", total);
  if (total !== null && taken > total) {
    throw new StepwellError(
      "ERR_SHAPE",
      `${where}: expected at most ${total} items as taken, the total, given ${taken}`,
    );
  }
  if (generator !== null) generatorNumbers(where, generator);
  return {
    ...(position as unknown as TrainingPosition),
    key: [...key],
    sums: sumsOf(position.sums),
    epochs: epochsOf(position.epochs, epoch - 1),
    best: position.best === null ? null : bestOf(position.best, epoch - 1),
  };
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && isDictionary(value);

const isWhole = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;

const isWord = (value: unknown) => isWhole(value, 0) && value < 2 ** 32;

/** A number of any kind: a loss may be infinite, or NaN. */
const isNumber = (value: unknown): value is number => typeof value === "number";

/** The first other value ends it, since a sparse list is of any length. */
function isNumbers(value: unknown): value is readonly number[] {
  if (!isList(value)) return false;
  for (const item of value) if (!isNumber(item)) return false;
  return true;
}

const wrong = (wanted: string, given: unknown) =>
  new StepwellError("ERR_FORMAT", `${where}: expected ${wanted}, given ${describeValue(given)}`);

function sumsOf(given: unknown): TrainingPosition["sums"] {
  const { loss, weight, matches, classes, batchloss } = isPlain(given) ? given : {};
  const isComplete = [loss, weight, matches, classes].every(isNumber) && isNumbers(batchloss);
  if (!isComplete) throw wrong("numbers as loss, weight, matches, classes and batchloss in sums", given);
  return { loss, weight, matches, classes, batchloss: [...batchloss] } as TrainingPosition["sums"];
}

/** The figures of all epochs that are over. */
function epochsOf(given: unknown, over: number): readonly EpochFigures[] {
  if (!isList(given) || given.length !== over) throw wrong(`the figures of ${over} epochs as epochs`, given);
  const rows: EpochFigures[] = [];
  for (const row of given) {
    const { epoch, validation, ...figures } = isPlain(row) ? row : {};
    if (epoch !== rows.length + 1) throw wrong(`the figures of epoch ${rows.length + 1} in epochs`, row);
    const measured = validation === undefined ? {} : { validation: figuresOf(validation) };
    rows.push({ epoch, ...figuresOf(figures), ...measured } as EpochFigures);
  }
  return rows;
}

function figuresOf(given: unknown): Figures {
  const figures = isPlain(given) ? { ...given } : {};
  const isComplete =
    isNumber(figures.loss) && Object.values(figures).every((value) => isNumber(value) || isNumbers(value));
  if (!isComplete) throw wrong("numbers as figures of an epoch, with the loss", given);
  return figures as unknown as Figures;
}

function bestOf(given: unknown, over: number): TrainingPosition["best"] {
  const { epoch, value, weights } = isPlain(given) ? given : {};
  const isEpoch = isWhole(epoch, 1) && epoch <= over;
  if (!isEpoch || !isNumber(value) || Number.isNaN(value) || (weights !== null && !isPlain(weights))) {
    throw wrong("an epoch that is over, its value and its weights or null as best", given);
  }
  return { epoch, value, weights: weights && { ...weights } } as TrainingPosition["best"];
}
