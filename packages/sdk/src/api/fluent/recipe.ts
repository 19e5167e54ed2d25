// The plain data of a builder: everything about an optimizer except its parameters.

import { StepwellError } from "../../errors.js";
import type { OptimizerName, OptionsOf } from "../../generated/options.js";
import type { ScheduleSpecification } from "../../generated/schedules.js";
import type { Parameters } from "../../types/arguments.js";
import { copyOf } from "../../values/copy.js";
import { brief } from "../../values/describe.js";
import { isInstance } from "../../values/plain-data.js";
import { refuse } from "../../values/refuse.js";
import { linearTimePattern } from "./linear-time-pattern.js";

/** Selects parameters by dotted name: the name of a module or a parameter, or a regular expression as data. */
export type Pattern = string | { readonly regexp: string; readonly flags: string };

/** A group of parameters with options of its own. */
export interface GroupRecipe<Name extends OptimizerName, Selection = Pattern> {
  /** Selects the parameters. */
  readonly parameters: Selection;
  /** Options that differ from the options of the optimizer. */
  readonly options: OptionsOf[Name];
}

/** The settings of a builder, as JSON. */
export interface Recipe<Name extends OptimizerName = OptimizerName, Selection = Pattern> {
  /** The name of the optimizer. */
  readonly optimizer: Name;
  /** Options of the optimizer. */
  readonly options: OptionsOf[Name];
  /** Groups 1, 2 and so on. */
  readonly groups: readonly GroupRecipe<Name, Selection>[];
  /** Parameters without weight decay, in any group. */
  readonly noDecay: readonly Pattern[];
  /** The schedule that is bound. */
  readonly schedule?: ScheduleSpecification;
  /** False for the implementation that comes with the tensor library. */
  readonly fused?: boolean;
  /** True to step in host memory, with copies of the parameters. */
  readonly offload?: boolean;
}

/** Selects parameters by the object that they belong to, which JSON cannot. */
export interface ParameterObject {
  readonly object: Parameters;
}

/** Whether a selection is an object. */
export const isObject = (selection: Pattern | ParameterObject): selection is ParameterObject =>
  typeof selection === "object" && "object" in selection;

/** A name or a regular expression as data. */
export function patternOf(pattern: string | RegExp): Pattern {
  if (typeof pattern === "string") return pattern;
  if (isInstance(pattern, RegExp)) return { regexp: pattern.source, flags: pattern.flags };
  return refuse("noDecay", "a name or a regular expression", pattern);
}

/** Regular expressions that came as JSON, each with a function that matches it in linear time. */
const fromData = new WeakMap<object, (name: string) => boolean>();

/** Whether a parameter of a dotted name is selected. */
export function matches(pattern: Pattern, name: string): boolean {
  if (typeof pattern === "string") return name === pattern || name.startsWith(`${pattern}.`);
  const occursIn = fromData.get(pattern);
  if (occursIn) return occursIn(name);
  // With the flag `g`, `test` goes on from its last match; `search` does not.
  return name.search(new RegExp(pattern.regexp, pattern.flags)) >= 0;
}

/** A pattern as a program writes it, for messages. */
export const written = (pattern: Pattern): string =>
  typeof pattern === "string" ? `\`${brief(pattern)}\`` : `/${brief(pattern.regexp)}/${pattern.flags}`;

/** The recipe as JSON. Fails if a group was selected by an object. */
export function recipeToJson<Name extends OptimizerName>(
  recipe: Recipe<Name, Pattern | ParameterObject>,
): Recipe<Name> {
  const groups = recipe.groups.map(({ parameters, options }, index) => {
    if (!isObject(parameters)) return { parameters, options };
    const message = `toJSON: group ${index + 1} was selected by an object, which JSON cannot hold: select it by name`;
    throw new StepwellError("ERR_ARGUMENT", message);
  });
  return structuredClone({ ...recipe, groups });
}

/**
 * The recipe of some JSON. The engine checks options and schedule when the optimizer is built. Regular expressions are limited to
 * those that {@link linearTimePattern} matches.
 */
export function recipeFromJson<Name extends OptimizerName>(json: Recipe<Name>): Recipe<Name> {
  const recipe = copyOf("fromJSON", json);
  const { optimizer, options, groups, noDecay, fused, offload } = only(
    recipe,
    "optimizer options groups noDecay schedule fused offload",
  );
  const good =
    typeof optimizer === "string" &&
    isRow(options) &&
    Array.isArray(groups) &&
    groups.every((group: unknown) => isRow(only(group, "parameters options").options)) &&
    Array.isArray(noDecay) &&
    [fused, offload].every((flag) => flag === undefined || typeof flag === "boolean");
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

/** An object, if it has no other keys than the given ones. */
function only(row: unknown, keys: string): Readonly<Record<string, unknown>> {
  if (!isRow(row)) return malformed();
  const known = keys.split(" ");
  const other = Object.keys(row).find((key) => !known.includes(key));
  return other === undefined
    ? (row as Record<string, unknown>)
    : malformed(`, given the key \`${other.slice(0, 80)}\``);
}

function malformed(given = ""): never {
  throw new StepwellError("ERR_FORMAT", `fromJSON: expected the result of toJSON of a builder${given}`);
}
