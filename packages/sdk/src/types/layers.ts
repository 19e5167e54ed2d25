// Layers as plain data, typed by their kind.

import type { ContainerKind, LayerFormsOf, LayerKind } from "../generated/layers.js";
import type { AnyModule, AnyTensor } from "./objects.js";
import type { ModuleState } from "./results.js";
import type { TensorData } from "./tensor-data.js";

/** The forms of the options of a layer. */
type FormsOf<Kind extends LayerKind> = LayerFormsOf[Kind];

/** A kind, optionally a name, and options. */
type LayerOf<Kind extends LayerKind, Options> = Options extends readonly unknown[]
  ? readonly [kind: Kind, ...Options] | readonly [kind: Kind, name: string, ...Options]
  : never;

/**
 * A layer as a list: its kind, optionally a name, and its options by position, then by name in a dictionary.
 *
 * @typeParam Kind - one kind of layer, or several
 */
export type Layer<Kind extends LayerKind = LayerKind> = {
  [Each in Kind]: LayerOf<Each, FormsOf<Each>[keyof FormsOf<Each>]>;
}[Kind];

/** The kind of a layer whose options all have defaults, so that the word alone is a layer. */
export type BareLayerKind = {
  [Kind in LayerKind]: readonly [] extends FormsOf<Kind>["positions"] ? Kind : never;
}[LayerKind];

/** A layer: its kind alone, or a list. `help("module")` lists the kinds, and {@link LayerOptionsOf} has the options of each. */
export type LayerSpecification = BareLayerKind | Layer;

/** A container with its modules; {@link seq} makes one. */
export interface ContainerSpecification {
  /** The kind, and optionally a name. */
  readonly container: Container;
  /** The modules in their order. */
  readonly children: readonly ModuleSpecification[];
}

/** A kind of container, and optionally a name. */
export type Container = ContainerKind | readonly [ContainerKind, name: string];

/** A module of tensors by name, which holds them and does not run. Tensors are shared; plain numbers become parameters. */
export type ParameterDictionarySpecification =
  | readonly ["parmdict", tensors: Readonly<Record<string, AnyTensor | TensorData>>]
  | readonly ["parmdict", name: string, tensors: Readonly<Record<string, AnyTensor | TensorData>>];

declare const unchecked: unique symbol;

/** A specification whose contents only `module` checks. `layers.fromJSON` makes one, at run time the data themselves. */
export interface UncheckedSpecification {
  readonly [unchecked]: "specification";
}

/** A module as plain data, from which `module` makes one. */
export type ModuleSpecification =
  | LayerSpecification
  | Container
  | ContainerSpecification
  | ParameterDictionarySpecification
  | AnyModule
  | UncheckedSpecification;

/** Whether a value is a dictionary. A list is not. */
type IsDictionary<Value> = Value extends readonly unknown[] ? false : Value extends object ? true : false;

/** The number of options before the first dictionary; `positions` if there is none. */
type FormKey<Options, Before extends readonly unknown[] = []> = Options extends readonly [infer First, ...infer Others]
  ? IsDictionary<First> extends true
    ? Before["length"]
    : FormKey<Others, [...Before, First]>
  : "positions";

/** The form of the options of a layer that is nearest to given ones. */
type NearestForm<Kind extends LayerKind, Given> =
  FormKey<Given> extends infer Key extends keyof FormsOf<Kind> ? FormsOf<Kind>[Key] : FormsOf<Kind>["positions"];

/** A list of a kind, a name if there is one, and options. */
type ListOf<Kind, Name extends readonly unknown[], Options> = Options extends readonly unknown[]
  ? readonly [kind: Kind, ...Name, ...Options]
  : never;

/**
 * The specification that a given value has to be. If it is a list, it is one tuple: the kind and the form of the options are those
 * that the value is nearest to. So TypeScript reports the element that is wrong, and completes names of its options.
 */
export type CheckedSpecification<Given> = [Given] extends [never]
  ? // The branch is never taken. It lets TypeScript infer the type of the value.
    Given
  : Given extends readonly [infer Kind, ...infer Rest]
    ? Kind extends LayerKind
      ? Rest extends readonly [string, ...infer Options]
        ? ListOf<Kind, [name: string], NearestForm<Kind, Options>>
        : ListOf<Kind, [], NearestForm<Kind, Rest>>
      : Kind extends "parmdict"
        ? ParameterDictionarySpecification
        : Kind extends ContainerKind
          ? readonly [Kind, name: string]
          : readonly [kind: LayerKind | ContainerKind, ...unknown[]]
    : Given extends string
      ? // Not an alias, so that a message has the words and not the name of their union.
        { [Word in BareLayerKind | ContainerKind]: Word }[BareLayerKind | ContainerKind]
      : ModuleSpecification;

/** Plain data or an object that a given value has to be, to make a module of. */
export type ModuleSource<Given, Objects = never> = [Given] extends [never]
  ? Given
  : Given extends string | readonly [string, ...unknown[]]
    ? CheckedSpecification<Given>
    : ModuleSpecification | ModuleState | Objects;

/** The specifications that given values have to be. */
export type CheckedSpecifications<Given extends readonly unknown[]> = {
  [Index in keyof Given]: CheckedSpecification<Given[Index]>;
};

/** The arguments of a function that makes a layer: optionally a name, and options. */
type LayerArguments<Kind extends LayerKind, Given extends readonly unknown[]> = [Given] extends [never]
  ? Given
  : Given extends readonly [string, ...infer Options]
    ? NearestForm<Kind, Options> extends infer Form extends readonly unknown[]
      ? readonly [name: string, ...Form]
      : never
    : NearestForm<Kind, Given> extends infer Form extends readonly unknown[]
      ? Form
      : never;

/** Makes a layer. */
export interface LayerFunction<Kind extends LayerKind> {
  /**
   * Makes a layer as plain data: optionally a name, then options by position, then others by name in a dictionary. `module` checks
   * the values.
   */
  // biome-ignore lint/style/useShorthandFunctionType: an editor shows the documentation of a signature of an interface.
  <const Given extends readonly unknown[]>(...options: LayerArguments<Kind, Given>): LayerSpecification;
}

/** A function for each kind of layer. */
export type LayerFunctions = { readonly [Kind in keyof LayerFormsOf]: LayerFunction<Kind> };
