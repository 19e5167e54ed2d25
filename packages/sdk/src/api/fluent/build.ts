// Makes an optimizer of a recipe and parameters.

import { StepwellError } from "../../errors.js";
import type { OptimizerName } from "../../generated/options.js";
import type { OptimizerHandle } from "../../handle.js";
import type { OneOrMore, Parameters } from "../../types/arguments.js";
import type { AnyObject } from "../../types/objects.js";
import { isList } from "../../values/plain-data.js";
import { refuse } from "../../values/refuse.js";
import { classof, free } from "../functions/objects.js";
import { opt } from "../functions/optimizers.js";
import { schedule } from "../functions/schedules.js";
import { isObject, matches, type ParameterObject, type Pattern, type Recipe, written } from "./recipe.js";

/** A parameter, and the key that selects it out of its object. */
interface Row {
  readonly name: string;
  /** Identifies the tensor. */
  readonly pointer: number;
  readonly key: string | number;
}

/** An object, and a selection of its parameters. */
interface Source {
  readonly object: AnyObject | undefined;
  readonly rows: readonly Row[];
}

/** Makes an optimizer of parameters. If it fails, no object is left. */
export function build<Name extends OptimizerName>(
  recipe: Recipe<Name, Pattern | ParameterObject>,
  parameters: Parameters,
): OptimizerHandle {
  const target = sourceOf(parameters);
  const groups = recipe.groups.map((group) => ({ ...select(group.parameters, target), options: group.options }));
  const taken = new Set(groups.flatMap((group) => group.rows.map((row) => row.pointer)));
  const rest = target.rows.filter((row) => !taken.has(row.pointer));

  for (const pattern of recipe.noDecay) {
    const rows = [target, ...groups].flatMap((group) => group.rows);
    if (!rows.some((row) => matches(pattern, row.name))) throw selectsNothing(pattern);
  }
  const isFree = (row: Row) => recipe.noDecay.some((pattern) => matches(pattern, row.name));
  const all = [{ ...target, rows: rest, options: {} }, ...groups];
  const decayed = all.map((group) => ({ ...group, rows: group.rows.filter((row) => !isFree(row)), more: {} }));
  // Each group keeps its index. Parameters without decay follow in groups with the options of theirs.
  const others = all
    .map((group) => ({ ...group, rows: group.rows.filter(isFree), more: { decay: 0 } }))
    .filter((group) => group.rows.length > 0);

  const fused = recipe.fused === undefined ? {} : { fused: recipe.fused };
  const offload = recipe.offload === undefined ? {} : { offload: recipe.offload };
  const optimizer = opt(recipe.optimizer, { ...recipe.options, ...fused, ...offload });
  try {
    for (const [index, group] of [...decayed, ...others].entries()) {
      opt(optimizer, index, parametersIn(group), group.options as never);
      // Set the decay alone, since the options may have it under another name.
      opt(optimizer, index, [], group.more as never);
    }
    if (recipe.schedule !== undefined) schedule(optimizer, recipe.schedule);
    return optimizer;
  } catch (error) {
    free(optimizer);
    throw error;
  }
}

/** The parameters of a group. They are selected out of the target if it has them all, since it has their full names. */
function select(selection: Pattern | ParameterObject, target: Source): Source {
  if (isObject(selection)) {
    const source = sourceOf(selection.object);
    const pointers = new Set(source.rows.map((row) => row.pointer));
    const rows = target.rows.filter((row) => pointers.has(row.pointer));
    return rows.length === pointers.size ? { ...target, rows } : source;
  }
  const rows = target.rows.filter((row) => matches(selection, row.name));
  if (rows.length > 0) return { ...target, rows };
  throw selectsNothing(selection);
}

function selectsNothing(pattern: Pattern): StepwellError {
  return new StepwellError("ERR_PARAMETER", `build: no parameter has a name that ${written(pattern)} selects`);
}

/** The parameters of an object with the names that an optimizer gives them. */
function sourceOf(parameters: Parameters): Source {
  if (parameters === undefined || parameters === null) refuse("build", "parameters", parameters);
  const [object, picked] = isList(parameters) ? parameters : [parameters];
  const indexes = [picked as OneOrMore<number>].flat();
  const byIndex = object !== undefined && classof(object) === "vector";
  const scratch = opt("sgd", 0, parameters);
  try {
    const rows = opt(scratch).parms.map(({ name, pointer }, index) => {
      const key = byIndex ? (picked === undefined ? index : (indexes[index] ?? index)) : name;
      return { name, pointer, key };
    });
    return { object, rows };
  } finally {
    free(scratch);
  }
}

/** Some parameters of an object, as functions take them. */
function parametersIn({ object, rows }: Source): Parameters {
  if (object === undefined || rows.length === 0) return [];
  const whole = classof(object) === "tensor";
  return (whole ? object : [object, rows.map((row) => row.key)]) as Parameters;
}
