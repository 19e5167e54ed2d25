// The ways in which `programs/exit.ts` ends.

export const scenes = [
  "live objects",
  "a graph that lives",
  "within a closure",
  "within the pass of an own module",
  "while a fit is awaited",
  "between the events of a fit",
  "workers that train",
  "a worker that saves",
  "after a save",
  "in a finalizer",
] as const;
/** Planted bugs. */
export type Scene = (typeof scenes)[number] | "never" | "with words";

export interface ExitConfig {
  readonly scene: Scene;
  readonly folder: string;
}
