// Values of arguments, each with an error that says what was expected.

import { InvalidArgumentError } from "commander";

/** A parser of whole numbers in a range. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} up` : `from ${least} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number ${range}.`);
  };
}

/** A number. Its range is for the optimizer to check. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("Expected a number.");
}

/** A device. */
export function device(text: string): string {
  if (/^(?:cpu|cuda(?::\d+)?)$/.test(text)) return text;
  throw new InvalidArgumentError("Expected cpu, cuda or cuda:<index>.");
}

/** Names with commas between them. */
export function names(text: string): readonly string[] {
  const found = text.split(",").map((name) => name.trim());
  if (found.includes("")) throw new InvalidArgumentError("Expected names with commas between them.");
  return found;
}

/** A share in (0, 1), or the path of a file. */
export function shareOrFile(text: string): number | string {
  const value = Number(text);
  if (Number.isNaN(value)) return text;
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError("Expected a share in (0, 1), such as 0.2, or a file.");
}

/** A name, or a JSON list of a name and options, such as `["smoothl1", {"beta": 0.5}]`. */
export function nameWithOptions(text: string): { readonly name: string; readonly options: object } {
  if (!/^\s*\[/.test(text)) return { name: text, options: {} };
  const value: unknown = json(text);
  const [name, options = {}, ...rest] = value as readonly unknown[];
  if (typeof name !== "string" || !isObject(options) || rest.length > 0) {
    throw new InvalidArgumentError('Expected a name, or a list such as ["smoothl1", {"beta": 0.5}].');
  }
  return { name, options };
}

/** A JSON object. */
export function jsonObject(text: string): object {
  const value = json(text);
  if (isObject(value)) return value;
  throw new InvalidArgumentError("Expected a JSON object.");
}

/** Collects `name=value` of an option that is given several times. Values are JSON, or texts. */
export function namedValue(text: string, others: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === "") throw new InvalidArgumentError("Expected name=value, such as beta1=0.8.");
  if (Object.hasOwn(others, name)) throw new InvalidArgumentError(`"${name}" is given twice.`);
  let parsed: unknown = value;
  try {
    parsed = JSON.parse(value);
  } catch {
    // A word such as bfloat16.
  }
  return { ...others, [name]: parsed };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`Expected JSON: ${(error as Error).message}`);
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
