// Written by `cargo test -p stepwell-session generated` from the tables of calls that draw random numbers; not to be edited.

/** Commands that always draw and change objects, or that read or set the generator, and `randperm`. Others that draw make new objects. */
export const drawingCommands: readonly string[] = [
  "seed",
  "generator",
  "randperm",
  "shuffle",
  "knormal",
  "kuniform",
  "xnormal",
  "xuniform",
  "snormal",
  "tnormal",
  "orthogonal",
  "random",
  "normal",
  "uniform",
  "lognormal",
  "exponential",
  "geometric",
  "cauchy",
];

/**
 * Modules that draw in a pass, with the option that is 0 if they do not, and whether they draw in use too. Others draw while
 * training if they have an option `dropout` which is not 0.
 */
export const drawingModules: readonly (readonly [kind: string, option: string | undefined, inUse: boolean])[] = [
  ["dropout", "p", false],
  ["drop2d", "p", false],
  ["drop3d", "p", false],
  ["adrop", "p", false],
  ["fadrop", "p", false],
  ["droppath", "p", false],
  ["rrelu", undefined, false],
  ["fmaxpool2d", undefined, true],
  ["fmaxpool3d", undefined, true],
  ["callback", undefined, true],
];
