/** The arguments of a pass without the last ones that are undefined: optional inputs that were not given. */
export function presentInputs(args: readonly unknown[]): readonly unknown[] {
  return args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1);
}
