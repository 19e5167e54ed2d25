// The functions of the SDK, and how they treat the objects that they are given.

import * as k from "@stepwell/sdk";
import { folderFunctions } from "../folder-functions.js";
import { returnsPromise } from "../promises.js";
import type { Kind } from "./shadow.js";

type Call = (...args: readonly unknown[]) => unknown;

/** Operations on tensors, which change nothing. */
export const operations: ReadonlySet<string> = new Set(k.help("tensor").map(({ operation }) => operation));

/** Every function by its name, except for functions of folders, and for asynchronous ones: test/contract/asynchronous.test.ts has them. */
export const functions: ReadonlyMap<string, Call> = new Map(
  Object.entries(k).filter(
    (entry): entry is [string, Call] =>
      typeof entry[1] === "function" &&
      !/^class\b/.test(String(entry[1])) &&
      !returnsPromise(entry[0]) &&
      !folderFunctions.includes(entry[0]),
  ),
);

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

/** Functions that change nothing, and those that change nothing if they are given one argument. */
const readers = words(
  "data dtype device evaluate callback gradient names childnames parmnames child parms parm state ce nll mse l1 smoothl1 bce " +
    "huber kl poissonloss hinge softmargin multilabel multimargin multisoft cosineloss margin triplet ctc " +
    "bcewithlogits loss model vector dict testrun metrics testmetrics help classof class objtype size tensorcount elements bytes " +
    "handlecount full tensor seed randperm seq save skipped clone leaks leakcheck scope cudadevices cudaStatus memory sync " +
    "synchronize children modules moduletypes parmtypes buffer buffers buffernames dim itemsize info leaf same input target " +
    "datasize testinput testtarget testsize inspect serialize",
);
const readersOfOne = words("grad gradflag lr opt lossscale schedule train test");

export const isReader = (name: string, args: readonly unknown[]): boolean =>
  (readers.has(name) || operations.has(name) || (args.length === 1 && readersOfOne.has(name))) &&
  !(name === "evaluate" && renormalizes(args[0]));

/** Whether a module scales rows of a table that it reads, as `maxnorm` of an embedding does, also while it is evaluated. */
function renormalizes(module: unknown): boolean {
  try {
    return /"maxnorm":\d/.test(JSON.stringify(k.state(module as k.ModuleHandle)));
  } catch {
    // Other objects have no module.
    return false;
  }
}

/** Functions of several steps: those before the one that fails have been made. */
export const isGradual = (name: string): boolean => name === "run";

const makers: readonly (readonly [names: ReadonlySet<string>, kinds: readonly Kind[]])[] = [
  [
    words(
      "tensor full forward evaluate parm buffer input target testinput testtarget to ce nll mse l1 smoothl1 bce bcewithlogits " +
        "huber kl poissonloss hinge softmargin multilabel multimargin multisoft cosineloss margin triplet ctc",
    ),
    ["tensor"],
  ],
  [words("vector"), ["vector"]],
  [words("dict parms buffers"), ["dictionary"]],
  [words("module child children modules clone callback"), ["module"]],
  [words("opt"), ["optimizer"]],
  [words("loss"), ["loss", "tensor"]],
  [words("model"), ["model"]],
];

/** The kinds of objects that a function can make; undefined if it makes none. */
export const kindsMadeBy = (name: string): readonly Kind[] | undefined =>
  operations.has(name) ? ["tensor"] : makers.find(([names]) => names.has(name))?.[1];

/** Functions that may return an object that they were given. */
export const passesOn = (name: string): boolean => name === "keep" || name === "scoped";

/** The argument that a successful call has freed the objects of. */
export function freedBy(name: string, args: readonly unknown[]): readonly unknown[] {
  if (name === "free") return args;
  if (name === "take" || name === "return") return args.slice(0, 1);
  return name === "use" && args[0] !== args[1] ? args.slice(1, 2) : [];
}
