/** A loss that counts as the minimum. */
export const target = 1e-6;

/** The value of a loss at a point. */
export type Value = (x: number, y: number) => number;
/** Its gradient. */
export type Gradient = (x: number, y: number) => [number, number];

/** A loss of two parameters whose smallest value is 0. */
export interface Surface {
  readonly title: string;
  /** The formula, for people. */
  readonly formula: string;
  /** The difficulty of the surface, in a sentence or two. */
  readonly about: string;
  /** Where it comes from. */
  readonly source: string;
  readonly value: Value;
  readonly gradient: Gradient;
  readonly minima: readonly (readonly [number, number])[];
  /** Stationary points that are not minima. */
  readonly saddles: readonly (readonly [number, number])[];
  readonly start: readonly [number, number];
  /** The part of the plane that is shown; as wide as it is high. */
  readonly view: { readonly x: readonly [number, number]; readonly y: readonly [number, number] };
  /** Evaluations of the gradient that a race has. */
  readonly until: number;
}
