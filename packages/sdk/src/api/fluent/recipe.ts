// The plain data of a builder: what an optimizer is to be, apart from the parameters that it gets.

import type { OptimizerName } from "../arguments.js";
import { brief } from "../brief.js";
import { StepwellError } from "../errors.js";
import type { OptionsOf } from "../generated/options.js";
import type { ScheduleSpecification } from "../generated/schedules.js";
import type { Trainable } from "./held.js";
import { linearTimePattern } from "./linear-time-pattern.js";
import { copyOf, refuse } from "./refuse.js";

/** Selects parameters by their dotted names: a module's or parameter's own name, or a regular expression as data. */
export type Pattern = string | { readonly regexp: string; readonly flags: string };

/** A group of parameters with options of its own. */
export interface GroupRecipe<Name extends OptimizerName, Selection = Pattern> {
  readonly parameters: Selection;
  readonly options: OptionsOf[Name];
}

/** What a builder has been told, as JSON. */
export interface Recipe<Name extends OptimizerName = OptimizerName, Selection = Pattern> {
  readonly optimizer: Name;
  readonly options: OptionsOf[Name];
  readonly groups: readonly GroupRecipe<Name, Selection>[];
  /** The parameters that are not decayed, in whichever group they are. */
  readonly noDecay: readonly Pattern[];
  readonly schedule?: ScheduleSpecification;
  readonly fused?: boolean;
}

/** Selects parameters by what they are, which no JSON can. */
export interface Instance {
  readonly instance: Trainable;
}

export const isInstance = (selection: Pattern | Instance): selection is Instance =>
  typeof selection === "object" && "instance" in selection;

/** A name or a regular expression as data. */
export function patternOf(pattern: string | RegExp): Pattern {
  if (typeof pattern === "string") return pattern;
  if (pattern instanceof RegExp) return { regexp: pattern.source, flags: pattern.flags };
  return refuse("noDecay", "a name or a regular expression", pattern);
}

/** The regular expressions that came as JSON, each with what matches it in linear time. */
const fromData = new WeakMap<object, (name: string) => boolean>();

/** Whether a parameter of a dotted name is selected. */
export function matches(pattern: Pattern, name: string): boolean {
  if (typeof pattern === "string") return name === pattern || name.startsWith(`${pattern}.`);
  const occursIn = fromData.get(pattern);
  if (occursIn) return occursIn(name);
  // Unlike `test`, `search` gives the same answer each time, whatever the flags.
  return name.search(new RegExp(pattern.regexp, pattern.flags)) >= 0;
}

/** A pattern as a program writes it, for messages. */
export const written = (pattern: Pattern): string =>
  typeof pattern === "string" ? `\`${brief(pattern)}\`` : `/${brief(pattern.regexp)}/${pattern.flags}`;

/** The recipe as JSON, if it has no group that only this session knows. */
export function toJson<Name extends OptimizerName>(recipe: Recipe<Name, Pattern | Instance>): Recipe<Name> {
  const groups = recipe.groups.map(({ parameters, options }, index) => {
    if (!isInstance(parameters)) return { parameters, options };
    const message = `toJSON: group ${index + 1} was selected by an object, which JSON cannot hold: select it by name`;
    throw new StepwellError("ERR_ARGUMENT", message);
  });
  return structuredClone({ ...recipe, groups });
}

/**
 * The recipe of some JSON. The options and the schedule are checked where they are used, by the engine. A regular expression
 * is one of those that {@link linear} matches, whoever wrote it.
 */
export function fromJson<Name extends OptimizerName>(json: Recipe<Name>): Recipe<Name> {
  const recipe = copyOf("fromJSON", json);
  const { optimizer, options, groups, noDecay, fused } = only(
    recipe,
    "optimizer options groups noDecay schedule fused",
  );
  const good =
    typeof optimizer === "string" &&
    isRow(options) &&
    Array.isArray(groups) &&
    groups.every((group: unknown) => isRow(only(group, "parameters options").options)) &&
    Array.isArray(noDecay) &&
    (fused === undefined || typeof fused === "boolean");
  if (!good) malformed();
  for (const pattern of [...recipe.groups.map((group) => group.parameters), ...recipe.noDecay]) {
    if (typeof pattern === "string") continue;
    const { regexp, flags } = only(pattern, "regexp flags");
    if (typeof regexp !== "string" || typeof flags !== "string") malformed();
    fromData.set(pattern, linearTimePattern(regexp, flags));
  }
  return recipe;
}

const isRow = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);

/** A row of no other keys than some. */
function only(row: unknown, keys: string): Readonly<Record<string, unknown>> {
  if (!isRow(row)) return malformed();
  const known = keys.split(" ");
  const other = Object.keys(row).find((key) => !known.includes(key));
  return other === undefined
    ? (row as Record<string, unknown>)
    : malformed(`, given the key \`${other.slice(0, 80)}\``);
}

function malformed(given = ""): never {
  throw new StepwellError("ERR_FORMAT", `fromJSON: expected what the toJSON of a builder returned${given}`);
}
