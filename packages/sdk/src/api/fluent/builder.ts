import type { OptimizerName, OptionsOf } from "../../generated/options.js";
import type { ScheduleSpecification } from "../../generated/schedules.js";
import type { SettersOf } from "../../generated/setters.js";
import type { Parameters } from "../../types/arguments.js";
import { copyOf } from "../../values/copy.js";
import { isInstance } from "../../values/plain-data.js";
import { refuse, refuseSurplus } from "../../values/refuse.js";
import { build } from "./build.js";
import { Optimizer } from "./optimizer.js";
import { type ParameterObject, type Pattern, patternOf, type Recipe, recipeFromJson, recipeToJson } from "./recipe.js";
import { optionTest, withSetters } from "./setters.js";

/** The options of an optimizer that are methods of its builder: all, under each of their names. */
export type BuilderOption<Name extends OptimizerName> = keyof OptionsOf[Name] & string;

/** The options of a group, to set. */
export type GroupBuilder<Name extends OptimizerName> = SettersOf[Name] & {
  /** The options that are set. */
  toJSON(): OptionsOf[Name];
};

/** Methods of every builder that do not set options. Each call returns a new builder and leaves this one as it is. */
interface BuilderMethods<Name extends OptimizerName> {
  /**
   * Adds a group with options of its own. Groups have the indices 1, 2 and so on; group 0 has all other parameters.
   *
   * @param parameters - a dotted name of a module or parameter, a regular expression on names of parameters, an object such as
   *   a child, or a handle
   * @param set - sets the options in which the group differs
   */
  group(
    parameters: string | RegExp | Parameters,
    set?: (group: GroupBuilder<Name>) => GroupBuilder<Name>,
  ): OptimizerBuilder<Name>;
  /** Binds a schedule to the optimizer that is built. */
  schedule(specification: ScheduleSpecification): OptimizerBuilder<Name>;
  /** False for the implementation that comes with the tensor library. */
  fused(flag?: boolean): OptimizerBuilder<Name>;
  /** True to step in host memory, with copies of the parameters. */
  offload(flag?: boolean): OptimizerBuilder<Name>;
  /** Makes the optimizer. If it fails, no object is left. */
  build(parameters: Parameters): Optimizer;
  /** Plain data, for `optimizer.fromJSON`. */
  toJSON(): Recipe<Name>;
}

interface DecayMethods<Name extends OptimizerName> {
  /**
   * Sets the decay of some parameters to 0, in any group. They form groups after the others, one for each group that has any.
   * At least one parameter must have the name.
   *
   * @param parameters - a dotted name of a module or parameter, or a regular expression on names of parameters
   */
  noDecay(parameters: string | RegExp): OptimizerBuilder<Name>;
}

/** Builds an optimizer. Immutable: each method returns a new builder, except `build` and `toJSON`. */
export type OptimizerBuilder<Name extends OptimizerName> = BuilderMethods<Name> &
  SettersOf[Name] &
  ("decay" extends BuilderOption<Name> ? DecayMethods<Name> : unknown);

/** Starts builders. */
export interface OptimizerFactory {
  /** A builder of an optimizer of that name. */
  <Name extends OptimizerName>(name: Name): OptimizerBuilder<Name>;
  /**
   * The builder that some JSON was made from.
   *
   * The JSON may come from any source: its regular expressions match a name in a time proportional to the length of the name.
   * Therefore they have no back references and no lookaround, and only the flags `dgimsu`. They have at most 1000 characters and
   * 5000 steps, where `a{500}` is 500. A program may give any expression to `group` and `noDecay`.
   */
  fromJSON<Name extends OptimizerName>(json: Recipe<Name>): OptimizerBuilder<Name>;
}

function builderOf<Name extends OptimizerName>(first: Recipe<Name>): OptimizerBuilder<Name> {
  const isOption = optionTest(first.optimizer);
  type Options = OptionsOf[Name];
  const groups = new WeakMap<object, Options>();
  const groupBuilder = (options: Options): GroupBuilder<Name> => {
    const group = withSetters({ toJSON: () => options }, isOption, options, groupBuilder) as GroupBuilder<Name>;
    groups.set(group, options);
    return group;
  };
  const builder = (recipe: Recipe<Name, Pattern | ParameterObject>): OptimizerBuilder<Name> => {
    const methods: BuilderMethods<Name> & DecayMethods<Name> = {
      group(parameters, set = (group) => group, ...surplus: readonly unknown[]) {
        refuseSurplus("group", surplus);
        if (typeof set !== "function") refuse("group", "a function as argument 2", set);
        const group = set(groupBuilder({} as Options));
        const options = groups.get(group) ?? refuse("group", "the options to be returned by argument 2", group);
        return builder({ ...recipe, groups: [...recipe.groups, { parameters: selectionOf(parameters), options }] });
      },
      noDecay(parameters, ...surplus: readonly unknown[]) {
        refuseSurplus("noDecay", surplus);
        return builder({ ...recipe, noDecay: [...recipe.noDecay, patternOf(parameters)] });
      },
      schedule(specification, ...surplus: readonly unknown[]) {
        refuseSurplus("schedule", surplus);
        return builder({ ...recipe, schedule: copyOf("schedule", specification) });
      },
      fused(flag = true, ...surplus: readonly unknown[]) {
        refuseSurplus("fused", surplus);
        return builder({ ...recipe, fused: flag });
      },
      offload(flag = true, ...surplus: readonly unknown[]) {
        refuseSurplus("offload", surplus);
        return builder({ ...recipe, offload: flag });
      },
      build(parameters, ...surplus: readonly unknown[]) {
        refuseSurplus("build", surplus);
        return new Optimizer(build(recipe, parameters));
      },
      // JSON.stringify calls it with a key.
      toJSON: () => recipeToJson(recipe),
    };
    const next = (options: Options) => builder({ ...recipe, options });
    return withSetters(methods, isOption, recipe.options, next) as OptimizerBuilder<Name>;
  };
  return builder(first);
}

function named<Name extends OptimizerName>(name: Name, ...surplus: readonly unknown[]): OptimizerBuilder<Name> {
  refuseSurplus("optimizer", surplus);
  return builderOf<Name>({ optimizer: name, options: {} as OptionsOf[Name], groups: [], noDecay: [] });
}

/**
 * Starts a builder of an optimizer.
 *
 * @example
 * ```ts
 * const o = optimizer("adamw").lr(1e-3).decay(0.05).noDecay(/bias/).build(module);
 * ```
 */
export const optimizer: OptimizerFactory = /* @__PURE__ */ Object.assign(named, {
  fromJSON<Name extends OptimizerName>(json: Recipe<Name>, ...surplus: readonly unknown[]): OptimizerBuilder<Name> {
    refuseSurplus("fromJSON", surplus);
    return builderOf(recipeFromJson(json));
  },
});

function selectionOf(parameters: string | RegExp | Parameters): Pattern | ParameterObject {
  const named = typeof parameters === "string" || isInstance(parameters, RegExp);
  return named ? patternOf(parameters) : { object: parameters };
}
