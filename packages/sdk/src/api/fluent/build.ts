// From a recipe and parameters to an optimizer.

import type { Api } from "../api.js";
import type { OneOrMore, OptimizerName, Parameters } from "../arguments.js";
import { StepwellError } from "../errors.js";
import type { AnyHandle, OptimizerHandle } from "../handle.js";
import { parametersOf, type Trainable } from "./held.js";
import { type Instance, isInstance, matches, type Pattern, type Recipe, written } from "./recipe.js";
import { refuse } from "./refuse.js";

/** A parameter, and what selects it out of the object that it is in. */
interface Row {
  readonly name: string;
  /** Tells tensors apart. */
  readonly pointer: number;
  readonly key: string | number;
}

/** An object with the parameters that are wanted out of it. */
interface Source {
  readonly object: AnyHandle | undefined;
  readonly rows: readonly Row[];
}

/** Makes an optimizer on parameters. If anything is wrong with either, nothing is left behind. */
export function build<Name extends OptimizerName>(
  api: Api,
  recipe: Recipe<Name, Pattern | Instance>,
  trainable: Trainable,
): OptimizerHandle {
  const target = sourceOf(api, trainable);
  const groups = recipe.groups.map((group) => ({ ...select(api, group.parameters, target), options: group.options }));
  const taken = new Set(groups.flatMap((group) => group.rows.map((row) => row.pointer)));
  const rest = target.rows.filter((row) => !taken.has(row.pointer));

  for (const pattern of recipe.noDecay) {
    const rows = [target, ...groups].flatMap((group) => group.rows);
    if (!rows.some((row) => matches(pattern, row.name))) throw selectsNothing(pattern);
  }
  const free = (row: Row) => recipe.noDecay.some((pattern) => matches(pattern, row.name));
  const all = [{ ...target, rows: rest, options: {} }, ...groups];
  const decayed = all.map((group) => ({ ...group, rows: group.rows.filter((row) => !free(row)), more: {} }));
  // Each group keeps its number, and what is not decayed follows in groups that are otherwise the same.
  const others = all
    .map((group) => ({ ...group, rows: group.rows.filter(free), more: { decay: 0 } }))
    .filter((group) => group.rows.length > 0);

  const fused = recipe.fused === undefined ? {} : { fused: recipe.fused };
  const optimizer = api.opt(recipe.optimizer, { ...recipe.options, ...fused });
  try {
    for (const [index, group] of [...decayed, ...others].entries()) {
      api.opt(optimizer, index, parametersIn(api, group), group.options as never);
      // By itself, for the options may have the decay under another name.
      api.opt(optimizer, index, [], group.more as never);
    }
    if (recipe.schedule !== undefined) api.schedule(optimizer, recipe.schedule);
    return optimizer;
  } catch (error) {
    api.free(optimizer);
    throw error;
  }
}

/** The parameters of a group: out of the object that is built on wherever they are in it, for that has their names. */
function select(api: Api, selection: Pattern | Instance, target: Source): Source {
  if (isInstance(selection)) {
    const source = sourceOf(api, selection.instance);
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

/** The parameters of an object, as an optimizer tells of them. */
function sourceOf(api: Api, trainable: Trainable): Source {
  const parameters = parametersOf(trainable);
  if (parameters === undefined || parameters === null) refuse("build", "parameters", parameters);
  const [object, picked] = Array.isArray(parameters) ? parameters : [parameters];
  const indexes = [picked as OneOrMore<number>].flat();
  const byIndex = object !== undefined && api.classof(object) === "vector";
  const scratch = api.opt("sgd", 0, parameters);
  try {
    const rows = api.opt(scratch).parms.map(({ name, pointer }, index) => {
      const key = byIndex ? (picked === undefined ? index : (indexes[index] ?? index)) : name;
      return { name, pointer, key };
    });
    return { object, rows };
  } finally {
    api.free(scratch);
  }
}

/** Some parameters of an object, as functions take them. */
function parametersIn(api: Api, { object, rows }: Source): Parameters {
  if (object === undefined || rows.length === 0) return [];
  const whole = api.classof(object) === "tensor";
  return (whole ? object : [object, rows.map((row) => row.key)]) as Parameters;
}
