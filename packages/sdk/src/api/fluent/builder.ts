import type { Api } from "../api.js";
import type { OptimizerName } from "../arguments.js";
import type { OptionsOf } from "../generated/options.js";
import type { ScheduleSpecification } from "../generated/schedules.js";
import { build } from "./build.js";
import type { Trainable } from "./held.js";
import type { Optimizer, OptimizerClass } from "./optimizer.js";
import { fromJson, type Instance, type Pattern, patternOf, type Recipe, toJson } from "./recipe.js";
import { copyOf, refuse, refuseSurplus } from "./refuse.js";
import { optionTest, withSetters } from "./setters.js";

/** The options of an optimizer that are methods of its builder: all, under each of their names. */
export type BuilderOption<Name extends OptimizerName> = keyof OptionsOf[Name] & string;

/** Sets one option; a flag without an argument is set to true. */
type Setter<Value, Result> = boolean extends Value
  ? (value?: boolean) => Result
  : (value: Exclude<Value, undefined>) => Result;

/** The options of a group, to set. */
export type GroupBuilder<Name extends OptimizerName> = {
  readonly [Key in BuilderOption<Name>]-?: Setter<OptionsOf[Name][Key], GroupBuilder<Name>>;
} & {
  /** The options that are set. */
  toJSON(): OptionsOf[Name];
};

/** What every builder can do beside setting options. Each call returns a new builder and leaves this one as it is. */
interface BuilderMethods<Name extends OptimizerName> {
  /**
   * Adds a group with options of its own: groups have the numbers 1, 2 and so on, and 0 has the parameters of no group.
   *
   * @param parameters a dotted name of a module or parameter, or a regular expression on those of parameters; or an
   *   object, such as a child of the module, or a handle
   * @param set sets the options in which the group differs
   */
  group(
    parameters: string | RegExp | Trainable,
    set?: (group: GroupBuilder<Name>) => GroupBuilder<Name>,
  ): OptimizerBuilder<Name>;
  /** Binds a schedule to the optimizer that is built. */
  schedule(specification: ScheduleSpecification): OptimizerBuilder<Name>;
  /** False for the implementation that comes with the tensor library. */
  fused(flag?: boolean): OptimizerBuilder<Name>;
  /** Makes the optimizer. If anything is wrong, nothing is left behind. */
  build(parameters: Trainable): Optimizer;
  /** Plain data, for `optimizer.fromJSON`. */
  toJSON(): Recipe<Name>;
}

interface DecayMethods<Name extends OptimizerName> {
  /**
   * Sets the decay of some parameters to 0, in whichever group they are. They form groups behind the others, one for
   * each group that has any.
   *
   * @param parameters a dotted name of a module or parameter, or a regular expression on those of parameters
   */
  noDecay(parameters: string | RegExp): OptimizerBuilder<Name>;
}

/** What an optimizer is to be. Immutable: each method returns a new builder, except `build` and `toJSON`. */
export type OptimizerBuilder<Name extends OptimizerName> = BuilderMethods<Name> & {
  readonly [Key in BuilderOption<Name>]-?: Setter<OptionsOf[Name][Key], OptimizerBuilder<Name>>;
} & ("decay" extends BuilderOption<Name> ? DecayMethods<Name> : unknown);

/** Starts builders. */
export interface OptimizerFactory {
  /** A builder of an optimizer of that name. */
  <Name extends OptimizerName>(name: Name): OptimizerBuilder<Name>;
  /**
   * The builder that some JSON was made from.
   *
   * The JSON may be anybody's: names are matched with its regular expressions in a time proportional to their length. For
   * that they have no references back, do not look ahead or behind, have the flags `dgimsu` only, and at most 1000 characters
   * and 5000 steps, where `a{500}` is 500. What a program itself gives to `group` and `noDecay` may be any expression.
   */
  fromJSON<Name extends OptimizerName>(json: Recipe<Name>): OptimizerBuilder<Name>;
}

/** Makes the builders of an engine. */
export function optimizerFactory(api: Api, Optimizer: OptimizerClass): OptimizerFactory {
  const start = <Name extends OptimizerName>(first: Recipe<Name>): OptimizerBuilder<Name> => {
    const isOption = optionTest(api, first.optimizer);
    type Options = OptionsOf[Name];
    const groups = new WeakMap<object, Options>();
    const groupBuilder = (options: Options): GroupBuilder<Name> => {
      const group = withSetters({ toJSON: () => options }, isOption, options, groupBuilder) as GroupBuilder<Name>;
      groups.set(group, options);
      return group;
    };
    const builder = (recipe: Recipe<Name, Pattern | Instance>): OptimizerBuilder<Name> => {
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
        build(parameters, ...surplus: readonly unknown[]) {
          refuseSurplus("build", surplus);
          return new Optimizer(build(api, recipe, parameters));
        },
        // JSON.stringify calls it with a key.
        toJSON: () => toJson(recipe),
      };
      const goOn = (options: Options) => builder({ ...recipe, options });
      return withSetters(methods, isOption, recipe.options, goOn) as OptimizerBuilder<Name>;
    };
    return builder(first);
  };

  const optimizer = <Name extends OptimizerName>(name: Name, ...surplus: readonly unknown[]) => {
    refuseSurplus("optimizer", surplus);
    return start<Name>({ optimizer: name, options: {} as OptionsOf[Name], groups: [], noDecay: [] });
  };
  return Object.assign(optimizer, {
    fromJSON<Name extends OptimizerName>(json: Recipe<Name>, ...surplus: readonly unknown[]) {
      refuseSurplus("fromJSON", surplus);
      return start(fromJson(json));
    },
  });
}

function selectionOf(parameters: string | RegExp | Trainable): Pattern | Instance {
  const named = typeof parameters === "string" || parameters instanceof RegExp;
  return named ? patternOf(parameters) : { instance: parameters };
}
