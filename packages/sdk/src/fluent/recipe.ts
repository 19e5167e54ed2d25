// The plain data of a builder: what an optimizer is to be, apart from the parameters that it gets.

import type { OptimizerName } from "../arguments.js";
import { brief } from "../brief.js";
import { StepwellError } from "../errors.js";
import type { OptionsOf } from "../generated/options.js";
import type { ScheduleSpecification } from "../generated/schedules.js";
import type { Trainable } from "./held.js";
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

/** Whether a parameter of a dotted name is selected. */
export function matches(pattern: Pattern, name: string): boolean {
  if (typeof pattern === "string") return name === pattern || name.startsWith(`${pattern}.`);
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

/** The recipe of some JSON. The options and the schedule are checked where they are used, by the engine. */
export function fromJson<Name extends OptimizerName>(json: Recipe<Name>): Recipe<Name> {
  const row = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);
  const good =
    row(json) &&
    row(json.options) &&
    Array.isArray(json.groups) &&
    json.groups.every(
      (group: unknown) => row(group) && "options" in group && row(group.options) && "parameters" in group,
    ) &&
    Array.isArray(json.noDecay) &&
    [...json.groups.map((group) => group.parameters), ...json.noDecay].every(isPattern);
  if (good) return copyOf("fromJSON", json);
  throw new StepwellError("ERR_FORMAT", "fromJSON: expected what the toJSON of a builder returned");
}

function isPattern(value: unknown): value is Pattern {
  if (typeof value === "string") return true;
  if (typeof value !== "object" || value === null || !("regexp" in value && "flags" in value)) return false;
  if (typeof value.regexp !== "string" || typeof value.flags !== "string") return false;
  try {
    new RegExp(value.regexp, value.flags);
    return true;
  } catch {
    return false;
  }
}
