// Calls every function of the package with absurd sizes, and every layer and optimizer with absurd options.

import * as k from "@stepwell/sdk";
import { returnsPromise } from "../../promises.js";
import { Random } from "../../random-operations/random.js";
import { configured, say } from "./lines.js";

export interface SizesConfig {
  /** One in so many calls is made. */
  readonly share: number;
  /** A planted bug: a function that throws an error of JavaScript, or takes a value that it must refuse. */
  readonly planted?: "an error of JavaScript" | "silence";
}

export interface SizesReport {
  readonly count: number;
  readonly functions: number;
  readonly failures: readonly string[];
  readonly codes: Readonly<Record<string, number>>;
}

const { share, planted } = configured<SizesConfig>();
const random = new Random(1);

/** None has a size between the free memory and the largest tensor: the system would give it, and end the process later. */
const absurd: readonly unknown[] = [
  ...[1e12, 2 ** 40, 2 ** 53, 2 ** 53 + 2, 2 ** 63, 2 ** 64, 1e300, -1, -(2 ** 31), -(2 ** 63), 1.5, 1e-320],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0],
  ...[1n, -1n, 2n ** 53n, 2n ** 63n, 2n ** 64n],
  ...["3", true, null, undefined],
];
const shapes: readonly unknown[] = [
  ...[
    [2 ** 32, 2 ** 32],
    [2 ** 31, 2 ** 31, 4],
    [2 ** 62, 2],
    [2 ** 53, 0],
    [0, 2 ** 53],
    [3037000500, 3037000500],
  ],
  ...[
    [-1],
    [2, -1],
    [1.5],
    [Number.NaN],
    [1n],
    [Number.POSITIVE_INFINITY],
    Array(100).fill(1),
    [2 ** 40],
    [1e12, 1e12],
  ],
];
const failures: string[] = [];
const codes: Record<string, number> = {};
let count = 0;

const shown = (value: unknown): string =>
  typeof value === "bigint"
    ? `${value}n`
    : Array.isArray(value)
      ? `[${value.slice(0, 4).map(shown)}]`
      : k.Handle[Symbol.hasInstance]?.(value)
        ? "handle"
        : String(value);

function attempt(
  name: string,
  call: (...args: readonly unknown[]) => unknown,
  args: readonly unknown[],
  refused = false,
) {
  if (random.int(share) > 0) return;
  count += 1;
  try {
    const result = call(...args);
    if (result instanceof Promise) result.catch(() => {});
    codes.succeeded = (codes.succeeded ?? 0) + 1;
    if (refused) failures.push(`${name}(${args.map(shown).join(", ")}): it was taken`);
  } catch (error) {
    const code = error instanceof k.StepwellError ? error.code : `${error}`;
    codes[code] = (codes[code] ?? 0) + 1;
    const isOurs = error instanceof k.StepwellError && !["ERR_INTERNAL", "ERR_ENGINE_POISONED"].includes(code);
    if (!isOurs) failures.push(`${name}(${args.map(shown).join(", ")}): ${code}`);
  }
}

type Call = (...args: readonly unknown[]) => unknown;
/** Functions that end, wait or change the settings of the process. */
const left = new Set(["reset", "ready", "fit", "leakcheck", "scope", "setting", "free"]);
const all = Object.entries(k).filter(
  (entry): entry is [string, Call] =>
    // Asynchronous ones take the arguments of the calls that wait.
    typeof entry[1] === "function" &&
    !/^class\b/.test(String(entry[1])) &&
    !left.has(entry[0]) &&
    !returnsPromise(entry[0]),
);
const functions: readonly (readonly [string, Call])[] =
  planted === "an error of JavaScript" ? [["planted", (size) => new Float32Array(size as number)]] : planted ? [] : all;

for (const [name, call] of functions) {
  const x = k.tensor(
    [
      [1, 2],
      [3, 4],
    ],
    "double",
  );
  for (const value of [...absurd, ...shapes]) {
    for (const args of [
      [value],
      [value, value],
      [x, value],
      [x, value, value],
      [x, x, value],
      [1, value],
      [value, 1],
      [2, 2, value],
      [[2, 2], value],
    ]) {
      attempt(name, call, args);
    }
    for (const option of ["shape", "size", "dim", "count", "seed", "batchsize"])
      attempt(name, call, [[1, 2], { [option]: value }]);
  }
  k.free();
}

/** Each layer with absurd values at each place, and by name. */
for (const { module: layer } of planted ? [] : (k.help("module") as readonly { readonly module: string }[])) {
  const options = Object.keys(k.help(layer as never) as object);
  for (const value of [...absurd, ...shapes]) {
    for (const args of [[value], [2, value], [2, 2, value], [2, 2, 2, value], [value, value, value]]) {
      attempt(`module ${layer}`, (...rest) => k.module([layer, ...rest] as never), args);
    }
    for (const option of options)
      attempt(`module ${layer}`, (options) => k.module([layer, options] as never), [{ [option]: value }]);
  }
  k.free();
}

/** Each option of each optimizer: a value that is not a number is refused. */
for (const { optimizer } of planted
  ? []
  : (k.help("optimizer") as readonly { readonly optimizer: k.OptimizerName }[])) {
  const p = k.tensor([1, 2], "grad");
  for (const option of Object.keys(k.help(optimizer) as object)) {
    for (const value of absurd) {
      const isNumber = typeof (k.help(optimizer) as Record<string, unknown>)[option] === "number";
      const isNone = typeof value === "number" && !Number.isFinite(value);
      attempt(
        `opt ${optimizer} ${option}`,
        (value) => k.opt(optimizer as "adam", p, { [option]: value } as never),
        [value],
        isNumber && isNone,
      );
    }
  }
  k.free();
}
if (planted === "silence") attempt("planted", () => 1, [Number.NaN], true);
say({ count, functions: functions.length, failures: failures.slice(0, 30), codes } satisfies SizesReport);
