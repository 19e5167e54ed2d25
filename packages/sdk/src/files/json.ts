// JSON of the files of runs: entries keep their order, a key that comes twice is refused, and numbers come back to the bit. The
// `JSON` of the language moves keys that look like numbers to the front, gives `__proto__` a meaning, and keeps the last of two values.

import { brief } from "../values/describe.js";

/** A value of JSON. An object is a map, in which no key has a meaning of its own. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** An object of JSON. */
export type JsonObject = ReadonlyMap<string, Json>;

/** In levels: as many as the reader of the native engine allows. */
const MAX_DEPTH = 128;

const isMap = (value: Json | undefined): value is JsonObject => value instanceof Map;

/** The entries of an object; undefined for any other value. */
export const entriesIn = (value: Json | undefined): JsonObject | undefined => (isMap(value) ? value : undefined);

/** An object of entries, without the ones that are undefined. */
export function objectOf(entries: { readonly [key: string]: Json | undefined }): JsonObject {
  return new Map(Object.entries(entries).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

/** The text of a value, as the native engine writes it. */
export function written(value: Json): string {
  if (typeof value === "number") return numberText(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isMap(value))
    return `{${Array.from(value, ([key, item]) => `${JSON.stringify(key)}:${written(item)}`).join(",")}}`;
  return `[${(value as readonly Json[]).map(written).join(",")}]`;
}

/** The shortest digits that come back to the bit. A whole number has a fraction, so that it is read as a number of this kind. */
function numberText(number: number): string {
  if (!Number.isFinite(number)) return `{"$number":"${number}"}`;
  if (Object.is(number, -0)) return "-0.0";
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-5 || size >= 1e16)) return number.toExponential();
  return Number.isInteger(number) ? `${number}.0` : String(number);
}

/** How JSON is read. */
export interface ReadOptions {
  /** Whether all numbers are whole, and not negative. */
  readonly isWhole?: boolean;
  /** The problem of a key that comes twice, in an object of a depth. */
  readonly twice?: (key: string, depth: number) => string;
}

/** Reads JSON. Throws an `Error` whose message is the problem. */
export const parsed = (text: string, options: ReadOptions = {}): Json => new Reader(text, options).all();

/** Numbers that JSON does not have in the place of objects that stand for them. */
export function withNumbers(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (!isMap(value)) return (value as readonly Json[]).map(withNumbers);
  const word = value.size === 1 ? value.get("$number") : undefined;
  if (typeof word !== "string") return new Map(Array.from(value, ([key, item]) => [key, withNumbers(item)]));
  if (/^(NaN|-?Infinity)$/.test(word)) return Number(word);
  throw new Error(`\`${brief(word)}\` is not a number`);
}

class Reader {
  readonly #text: string;
  readonly #isWhole: boolean;
  readonly #twice: (key: string, depth: number) => string;
  #at = 0;
  #depth = 0;

  constructor(text: string, { isWhole = false, twice = (key) => `the key \`${key}\` comes twice` }: ReadOptions) {
    this.#text = text;
    this.#isWhole = isWhole;
    this.#twice = twice;
  }

  all(): Json {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail("trailing characters");
    return value;
  }

  #value(): Json {
    this.#space();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#nested(() => this.#object());
      case "[":
        return this.#nested(() => this.#list());
      case '"':
        return this.#string();
      case "n":
        return this.#word("null", null);
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      default:
        return this.#number();
    }
  }

  #nested<Value>(read: () => Value): Value {
    this.#depth += 1;
    if (this.#depth >= MAX_DEPTH) this.#fail("recursion limit exceeded");
    this.#at += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object(): JsonObject {
    const entries = new Map<string, Json>();
    if (this.#ends("}")) return entries;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail("key must be a string");
      const key = this.#string();
      this.#space();
      if (this.#text[this.#at] !== ":") this.#fail("expected `:`");
      this.#at += 1;
      const value = this.#value();
      if (entries.has(key)) throw new Error(this.#twice(brief(key), this.#depth));
      entries.set(key, value);
    } while (this.#goesOn("}"));
    return entries;
  }

  #list(): readonly Json[] {
    const items: Json[] = [];
    if (this.#ends("]")) return items;
    do items.push(this.#value());
    while (this.#goesOn("]"));
    return items;
  }

  #ends(end: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== end) return false;
    this.#at += 1;
    return true;
  }

  #goesOn(end: string): boolean {
    if (this.#ends(end)) return false;
    if (this.#text[this.#at] !== ",") this.#fail(`expected \`,\` or \`${end}\``);
    this.#at += 1;
    return true;
  }

  #string(): string {
    let end = this.#at;
    do end = this.#text.indexOf('"', end + 1);
    while (end >= 0 && this.#isEscaped(end));
    if (end < 0) this.#at = this.#text.length;
    let text: unknown;
    try {
      text = JSON.parse(this.#text.slice(this.#at, end + 1));
    } catch {
      this.#fail("invalid escape or control character in a string");
    }
    if (/\p{Surrogate}/u.test(text as string)) this.#fail("lone surrogate in an escape");
    this.#at = end + 1;
    return text as string;
  }

  /** Whether an uneven number of backslashes stands before a place. */
  #isEscaped(place: number): boolean {
    let first = place;
    while (this.#text[first - 1] === "\\") first -= 1;
    return (place - first) % 2 === 1;
  }

  #number(): number {
    const number = this.#isWhole ? /(?:0|[1-9]\d*)(?![\d.eE])/y : /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    number.lastIndex = this.#at;
    const [found] = number.exec(this.#text) ?? this.#fail(this.#isWhole ? "expected a whole number" : "expected value");
    const value = Number(found);
    if (!(this.#isWhole ? Number.isSafeInteger(value) : Number.isFinite(value))) this.#fail("number out of range");
    this.#at = number.lastIndex;
    return value;
  }

  #word(word: string, value: Json): Json {
    if (!this.#text.startsWith(word, this.#at)) this.#fail("expected value");
    this.#at += word.length;
    return value;
  }

  #space(): void {
    while (" \n\r\t".includes(this.#text[this.#at] ?? "x")) this.#at += 1;
  }

  #fail(problem: string): never {
    const isOver = this.#at >= this.#text.length;
    throw new Error(`${isOver ? "EOF while parsing" : problem} at character ${this.#at + 1} of its JSON`);
  }
}
