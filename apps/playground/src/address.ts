// The page's state in its address: the settings that differ from the defaults.

import type { OptimizerName, OptionRow } from "@stepwell/sdk";
import { defaultOptions } from "./defaults.js";
import { type DigitsSetup, defaultDigits, readDigits, writeDigits } from "./digits-setup.js";
import { optimizerNames, readOption, tableOf } from "./options.js";
import type { RacerSettings } from "./racer.js";
import { type SurfaceName, surfaceNames, surfaces } from "./surfaces/index.js";

/** Rows of options: one for both coordinates, or one for each. */
export type Groups = RacerSettings["groups"];

/** Everything that the page is set to. */
export interface Setup {
  readonly view: "surfaces" | "digits";
  readonly surface: SurfaceName;
  readonly start: readonly [number, number];
  /** Every option of every optimizer. */
  readonly options: { readonly [Name in OptimizerName]: Groups };
  /** Optimizers that are not shown. */
  readonly hidden: readonly OptimizerName[];
  /** The optimizer whose options and code are shown. */
  readonly selected: OptimizerName;
  /** Evaluations a second. */
  readonly speed: number;
  /** Evaluations that a race has. */
  readonly until: number;
  readonly digits: DigitsSetup;
}

export const speeds = { least: 1, most: 1000, initial: 100 } as const;

/** The default settings of the page on a surface. */
export function defaultSetup(surface: SurfaceName): Setup {
  const options = Object.fromEntries(optimizerNames.map((name) => [name, [defaultOptions(surface, name)]]));
  const { start, until } = surfaces[surface];
  return {
    view: "surfaces",
    surface,
    start,
    options: options as unknown as Setup["options"],
    hidden: [],
    selected: "adam",
    speed: speeds.initial,
    until,
    digits: defaultDigits,
  };
}

/** The settings on another surface: with the start and the learning rates of that surface, and the other options unchanged. */
export function moveTo(setup: Setup, surface: SurfaceName): Setup {
  if (surface === setup.surface) return setup;
  const { start, until } = surfaces[surface];
  const options = Object.fromEntries(
    optimizerNames.map((name) => {
      const { lr } = defaultOptions(surface, name);
      return [name, setup.options[name].map((row) => ({ ...row, lr }))];
    }),
  );
  return { ...setup, surface, start, until, options: options as unknown as Setup["options"] };
}

/** The text after the `#` of the address. */
export function writeAddress(setup: Setup): string {
  const usual = defaultSetup(setup.surface);
  const words = new URLSearchParams();
  if (setup.view !== usual.view) words.set("view", setup.view);
  if (setup.surface !== "rosenbrock") words.set("surface", setup.surface);
  if (setup.start.join() !== usual.start.join()) words.set("start", setup.start.join());
  if (setup.hidden.length > 0) words.set("hidden", setup.hidden.join());
  if (setup.selected !== usual.selected) words.set("selected", setup.selected);
  if (setup.speed !== usual.speed) words.set("speed", String(setup.speed));
  if (setup.until !== usual.until) words.set("until", String(setup.until));
  for (const name of optimizerNames) {
    const groups = setup.options[name];
    if (groups.length === 2) words.append("split", name);
    const initial = defaultOptions(setup.surface, name);
    for (const [group, row] of groups.entries()) {
      for (const [option, value] of Object.entries(row)) {
        if (value !== initial[option]) words.set(optionKey(name, group, option), String(value));
      }
    }
  }
  writeDigits(words, setup.digits);
  return words.toString().replaceAll("%2C", ",");
}

/** The state in an address. Invalid settings get their default. */
export function readAddress(text: string): Setup {
  const words = new URLSearchParams(text.replace(/^#/, ""));
  const surface = oneOf(surfaceNames, words.get("surface")) ?? "rosenbrock";
  const usual = defaultSetup(surface);
  const split = words.getAll("split");
  const options = Object.fromEntries(
    optimizerNames.map((name) => {
      const count = split.includes(name) && !tableOf(name).needsClosure ? 2 : 1;
      return [name, Array.from({ length: count }, (_, group) => readRow(words, surface, name, group))];
    }),
  );
  return {
    view: oneOf(["surfaces", "digits"] as const, words.get("view")) ?? usual.view,
    surface,
    start: readStart(surface, words.get("start")) ?? usual.start,
    options: options as unknown as Setup["options"],
    hidden: optimizerNames.filter((name) => words.get("hidden")?.split(",").includes(name)),
    selected: oneOf(optimizerNames, words.get("selected")) ?? usual.selected,
    speed: numberIn(words.get("speed"), speeds.least, speeds.most) ?? usual.speed,
    until: wholeNumberIn(words.get("until"), 1, 20_000) ?? usual.until,
    digits: readDigits(words),
  };
}

function optionKey(optimizer: OptimizerName, group: number, option: string): string {
  return group === 0 ? `${optimizer}.${option}` : `${optimizer}.y.${option}`;
}

function readRow(words: URLSearchParams, surface: SurfaceName, optimizer: OptimizerName, group: number): OptionRow {
  const row = { ...defaultOptions(surface, optimizer) } as Record<string, OptionRow[string]>;
  for (const specification of tableOf(optimizer).rows) {
    const text = words.get(optionKey(optimizer, group, specification.name));
    const value = text === null ? undefined : readOption(specification, text);
    if (value !== undefined) row[specification.name] = value;
  }
  return row;
}

function readStart(surface: SurfaceName, text: string | null): [number, number] | undefined {
  const [x, y, ...rest] = (text ?? "").split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const { view } = surfaces[surface];
  const isIn = (value: number | undefined, [low, high]: readonly [number, number]): value is number =>
    value !== undefined && value >= low && value <= high;
  return rest.length === 0 && isIn(x, view.x) && isIn(y, view.y) ? [x, y] : undefined;
}

export function oneOf<Word extends string>(words: readonly Word[], text: string | null): Word | undefined {
  return words.find((word) => word === text);
}

export function numberIn(text: string | null, low: number, high: number): number | undefined {
  const value = text === null || text.trim() === "" ? Number.NaN : Number(text);
  return value >= low && value <= high ? value : undefined;
}

export function wholeNumberIn(text: string | null, low: number, high: number): number | undefined {
  const value = numberIn(text, low, high);
  return Number.isInteger(value) ? value : undefined;
}
