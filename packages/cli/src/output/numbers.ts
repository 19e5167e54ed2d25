// Numbers as text for readers.

/** A loss with four significant digits, without trailing zeros of an exponent. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return value !== 0 && (size < 0.001 || size >= 100_000)
    ? value.toExponential(3)
    : String(Number(value.toPrecision(4)));
}

/** A whole number with separators of thousands. */
export const whole = (value: number) => Math.round(value).toLocaleString("en");

/** Bytes as kB, MB or GB. */
export function byteCount(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}
