// Numbers as people read them.

/** A whole number, as in 12,345. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** A number with that many decimals; small ones, that would show as 0, with an exponent. */
export function decimals(value: number, count: number): string {
  const tiny = value !== 0 && Math.abs(value) < 0.5 * 10 ** -count;
  return tiny ? value.toExponential(1) : value.toFixed(count);
}

/** A share of 1, as in 96.1 %. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
