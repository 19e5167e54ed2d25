// Trainings of `fit` that cannot begin: the processes have other options, or one of them is given wrong ones.

import type * as k from "@stepwell/sdk";
import { modelOf, sources } from "./fits.js";

/** The arguments of a training on a rank. */
type Arguments = readonly [data: object, options: k.FitOptions];

const { inputs, targets } = sources.memory();
const validation = { inputs, targets };
const with1 = (rank: number, more: k.FitOptions): Arguments => [sources.memory(), rank === 1 ? more : {}];
const begun = (rank: number) => modelOf(rank).fit(sources.memory(), { epochs: 1 }).position;
const folder = (rank: number) => ({ path: `/absent/folder/${rank}` });

/** By name: the arguments of each rank, and the words in which the error of all names rank 0 and rank 1. */
export const differing: Readonly<Record<string, readonly [(rank: number) => Arguments, first: string, other: string]>> =
  {
    epochs: [(rank) => [sources.memory(), { epochs: 2 + rank }], "epochs 2", "epochs 3"],
    "a stop of one": [(rank) => with1(rank, { earlystop: { patience: 3 } }), "no earlystop", "earlystop"],
    "other weights at the end": [
      (rank) => [sources.memory(), { earlystop: { patience: 3, restorebest: rank === 0 } }],
      "restorebest true in earlystop",
      "restorebest false in earlystop",
    ],
    "a mode": [
      (rank) => [sources.memory(), { earlystop: { mode: rank === 0 ? "min" : "max" } }],
      "mode min in earlystop",
      "mode max in earlystop",
    ],
    "a policy for losses": [
      (rank) => with1(rank, { nonfiniteloss: "skip" }),
      "nonfiniteloss stop",
      "nonfiniteloss skip",
    ],
    clipping: [(rank) => with1(rank, { clipnorm: 2 }), "no clipnorm", "clipnorm 2"],
    metrics: [(rank) => with1(rank, { metrics: "matches" }), "metrics [loss, accuracy]", "metrics [loss, matches]"],
    validation: [(rank) => with1(rank, { validation }), "no validation", "validation"],
    "a validation now and then": [
      (rank) => [sources.memory(), { validation: { ...validation, every: 1 + rank } }],
      "every 1 in validation",
      "every 2 in validation",
    ],
    checkpoint: [(rank) => with1(rank, { checkpoint: folder(rank) }), "no checkpoint", "checkpoint"],
    "steps of a checkpoint": [
      (rank) => [sources.memory(), { checkpoint: { ...folder(rank), steps: 5 + rank } }],
      "steps 5 in checkpoint",
      "steps 6 in checkpoint",
    ],
    "objects of a checkpoint": [
      (rank) => [sources.memory(), { checkpoint: { ...folder(rank), objects: rank === 1 ? { ß: 1, a: 2 } : {} } }],
      "objects [] in checkpoint",
      "objects [a, ß] in checkpoint",
    ],
    "a position": [(rank) => with1(rank, { resume: begun(rank) }), "no resume", "resume"],
    "epochs without an improvement": [
      (rank) => [sources.memory(), { resume: { ...begun(rank), waited: rank } }],
      "waited 0 in resume",
      "waited 1 in resume",
    ],
    "kinds of data": [(rank) => [rank === 1 ? sources.samples() : validation, {}], "data in memory", "samples"],
    "a buffer": [
      (rank) => [sources.samples(), { shuffle: rank === 1 ? { buffer: 4, seed: 2 } : true }],
      "shuffle (buffer 1000)",
      "shuffle (buffer 4, seed 2)",
    ],
  };

const at1 = (wrong: k.FitOptions) => (rank: number) => with1(rank, wrong);
const spent = () => ({ samples: sources.samples().samples()[Symbol.iterator]() });
const one = { inputs: inputs.slice(0, 1), targets: targets.slice(0, 2) };
const ragged = { inputs: [[1, 2, 3], [4]], targets: [0, 1] };

/** By name: the arguments of each rank, and the error of rank 1. */
export const failing: Readonly<Record<string, readonly [(rank: number) => Arguments, error: string]>> = {
  "a source that is spent": [
    (rank) => [rank === 1 ? spent() : sources.samples(), {}],
    "ERR_ARGUMENT fit: expected samples that begin again for 50 passes: a function that returns a new iterable, or an array, given an iterator or a stream, which is spent after one",
  ],
  "a batch size": [at1({ batchsize: -1 }), "ERR_OPTION_RANGE fit batchsize: expected a whole number >= 1, given -1"],
  "no epochs": [at1({ epochs: 0 }), "ERR_ARGUMENT fit: epochs: expected a whole number >= 1, given number 0"],
  "no schedule": [
    at1({ advance: "epoch" }),
    "ERR_ARGUMENT fit: advance: expected an optimizer with a schedule, given one without",
  ],
  "a stop that is null": [
    (rank) => [sources.memory(), rank === 1 ? { earlystop: null as never } : {}],
    "ERR_ARGUMENT fit: earlystop: expected options, given null",
  ],
  "too many targets": [
    (rank) => [rank === 1 ? one : validation, {}],
    "ERR_SHAPE fit: expected as many targets as inputs, given 1 inputs and 2 targets",
  ],
  "ragged data": [
    (rank) => [rank === 1 ? ragged : validation, {}],
    "ERR_SHAPE fit: expected numbers nested to a rectangular shape, given a ragged list",
  ],
  "a position that is none": [
    at1({ resume: {} as k.TrainingPosition }),
    "ERR_FORMAT fit: resume: expected a position of a training, version 1, given version undefined",
  ],
};
