// Results of a pass over samples, by the metrics that a call states.

import type { MetricName } from "../generated/settings.js";
import type { Metrics } from "./results.js";

/** The name of a metric, or several. */
export type MetricNames = MetricName | readonly [MetricName, ...MetricName[]];

/** Whether a type is a union, so that a program does not know which of its members a value is. */
type IsUnion<Type, Each = Type> = Type extends unknown ? ([Each] extends [Type] ? false : true) : never;

/** Whether the type of a list states each of its names. */
type IsStated<Names extends readonly unknown[]> = number extends Names["length"]
  ? false
  : true extends { [Index in keyof Names]: IsUnion<Names[Index]> }[number]
    ? false
    : true;

/**
 * The result of a pass with metrics: the loss alone is a number, and any others are a dictionary. If a type does not state the
 * names, it is either.
 */
export type MetricsOf<Names extends MetricNames> = Names extends "loss" | readonly ["loss"]
  ? number
  : Names extends MetricName
    ? Pick<Required<Metrics>, Names>
    : Names extends readonly MetricName[]
      ? IsStated<Names> extends true
        ? Pick<Required<Metrics>, Names[number]>
        : number | Metrics
      : never;
