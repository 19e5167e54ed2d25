// Safetensors files as bytes: the header with the description and the checksum, and the elements of each tensor.
//
// Decision 0025 has the format, and `crates/checkpoint` reads and writes the same. Nothing is allocated before its size was compared
// with the number of bytes.

import { StepwellError } from "../errors.js";
import { brief } from "../values/describe.js";
import { checksumOf } from "./checksum.js";
import { bitsOf } from "./element-types.js";
import { refuse } from "./entries.js";
import { entriesIn, type Json, type JsonObject, parsed, written } from "./json.js";

/** The version of the format that is written, and the newest that is read. */
const VERSION = 1;
/** Bytes of the length of the header, before it. */
const LENGTH_BYTES = 8;
/** The most bytes that the format allows for a header. */
const MAX_HEADER = 100_000_000;
const MAX_DIMENSIONS = 64;
const METADATA = "__metadata__";
const KEY = "stepwell";

/** The beginning of every header with a description, up to the digits of the checksum: they have a fixed place. */
const beginning = String.raw`{"__metadata__":{"stepwell":"{\"format\":\"stepwell\",\"version\":1,\"sha256\":\"`;
const DIGITS = 64;
const digits = { start: LENGTH_BYTES + beginning.length, end: LENGTH_BYTES + beginning.length + DIGITS };

/** A tensor of a file. */
export interface SavedTensor {
  /** The word of the element type: `F32`. */
  readonly word: string;
  readonly shape: readonly number[];
  /** The bytes of its elements, in the memory of the file. */
  readonly bytes: Uint8Array;
  /** The number of these. */
  readonly length: number;
}

/** A tensor to be written. */
export interface TensorToWrite extends Omit<SavedTensor, "length"> {
  readonly name: string;
}

/** A file with a valid header. */
export interface SavedFile {
  /** Its name in messages. */
  readonly place: string;
  /** In the order of their elements. */
  readonly tensors: ReadonlyMap<string, SavedTensor>;
  /** The description; undefined for a file of another program. */
  readonly description?: { readonly version: number; readonly sha256: string; readonly content: Json };
  readonly bytes: number;
  /** Throws unless the file has its checksum. Without a description there is none. */
  verify(): void;
}

const malformed = (place: string, problem: string) =>
  new StepwellError("ERR_FORMAT", `${brief(place)} is not a valid safetensors file: ${problem}`);

/** The bytes of a file up to its elements, as its first bytes announce; the most that the format allows. */
export function headerLength(start: Uint8Array): number {
  if (start.length < LENGTH_BYTES) return start.length;
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  return LENGTH_BYTES + (length > MAX_HEADER ? 0 : Number(length));
}

/** Reads the header of a file of `size` bytes, of which the elements may be missing. They stay where they are. */
export function readFile(file: Uint8Array, place: string, size = file.length): SavedFile {
  const fail = (problem: string): never => {
    throw malformed(place, problem);
  };
  const rest = size - LENGTH_BYTES;
  if (rest < 0) return fail(`it has ${size} bytes, fewer than ${LENGTH_BYTES}`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > rest || length > MAX_HEADER) {
    const possible = length > rest ? `but only ${rest} follow` : `and the format allows ${MAX_HEADER}`;
    return fail(`its first 8 bytes announce a header of ${length} bytes, ${possible}`);
  }
  const start = LENGTH_BYTES + Number(length);
  const text = textOf(file.subarray(LENGTH_BYTES, start)) ?? fail("its header is not UTF-8");
  try {
    if (!text.startsWith("{")) throw new Error("its header does not begin with {");
    const header = entriesIn(parsed(text, { isWhole: true, twice })) as JsonObject;
    const tensors = tensorsOf(header, file.subarray(start), size - start);
    const described = descriptionIn(header.get(METADATA));
    const description = described === undefined ? undefined : descriptionOf(described);
    const verify = () => {
      if (description === undefined) return;
      if (!text.startsWith(beginning))
        fail("another program has written its header, so that its checksum does not hold");
      const found = checksumOf(file, digits);
      if (found === description.sha256) return;
      fail(`it is damaged: its checksum is ${found}, and it states ${brief(description.sha256)}`);
    };
    return { place, tensors, bytes: size, verify, ...(description && { description }) };
  } catch (error) {
    if (error instanceof StepwellError) throw error;
    return fail((error as Error).message);
  }
}

/** The problem of a name that a header has twice, of a tensor or within one. */
function twice(key: string, depth: number): string {
  if (depth === 1) return `it names \`${key}\` twice`;
  return key === KEY ? `its metadata has \`${KEY}\` twice` : `duplicate field \`${key}\``;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The tensors of a header, which fill the data without holes. */
function tensorsOf(header: JsonObject, data: Uint8Array, length: number): ReadonlyMap<string, SavedTensor> {
  const found = Array.from(header, ([name, value]) => (name === METADATA ? undefined : placeOf(name, value)));
  const places = found.filter((place) => place !== undefined);
  places.sort((a, b) => a.start - b.start || a.end - b.end);
  const tensors = new Map<string, SavedTensor>();
  let end = 0;
  for (const place of places) {
    if (place.start !== end) {
      const problem = place.start < end ? "overlaps another" : "leaves a hole before it";
      throw new Error(`the data of \`${brief(place.name)}\` ${problem}`);
    }
    end = place.end;
    const { word, shape } = place;
    tensors.set(place.name, { word, shape, bytes: data.subarray(place.start, end), length: end - place.start });
  }
  if (end !== length) throw new Error(`its tensors have ${end} bytes and its data ${length}`);
  return tensors;
}

/** The type, the shape and the offsets of a tensor. */
function placeOf(name: string, value: Json) {
  const wrong = (problem: string) => new Error(`\`${brief(name)}\`: ${problem}`);
  const entries = entriesIn(value) ?? refuse(wrong("expected an object"));
  for (const key of entries.keys()) {
    if (["dtype", "shape", "data_offsets"].includes(key)) continue;
    throw wrong(`unknown field \`${brief(key)}\`, expected one of \`dtype\`, \`shape\`, \`data_offsets\``);
  }
  const entry = (key: string): Json => entries.get(key) ?? refuse(wrong(`missing field \`${key}\``));
  const word = entry("dtype");
  if (typeof word !== "string") throw wrong("expected a string as `dtype`");
  const bits = bitsOf(word) ?? refuse(wrong(`unknown dtype \`${brief(word)}\``));
  const list = entry("shape");
  const shape =
    sizes(list) ?? refuse(wrong(`${lengthOf(list)}expected a list of at most ${MAX_DIMENSIONS} whole numbers`));
  const [start, end, ...others] = sizes(entry("data_offsets")) ?? [];
  if (start === undefined || end === undefined || others.length > 0) throw wrong("expected two whole numbers");
  // Sizes are below 2^53, but their product may not be.
  const all = shape.reduce((product, size) => product * BigInt(size), BigInt(bits));
  if (all % 8n !== 0n || BigInt(start) + all / 8n !== BigInt(end)) throw wrong("its shape does not fit its data");
  return { name, word, shape, start, end };
}

const lengthOf = (value: Json): string =>
  Array.isArray(value) && value.length > MAX_DIMENSIONS ? `invalid length ${MAX_DIMENSIONS + 1}, ` : "";

function sizes(value: Json): readonly number[] | undefined {
  const isList = Array.isArray(value) && value.length <= MAX_DIMENSIONS;
  return isList && value.every((size) => typeof size === "number") ? value : undefined;
}

/** The text of the description in metadata. */
function descriptionIn(metadata: Json | undefined): string | undefined {
  if (metadata === undefined) return undefined;
  const entries = entriesIn(metadata) ?? refuse(new Error("expected an object of strings as metadata"));
  for (const [key, text] of entries) {
    if (typeof text !== "string") throw new Error("expected a string in the metadata");
    // Under a damaged key it would pass for another program's metadata, and the checksum would not be compared.
    if (key === KEY || !isDescription(key, text)) continue;
    throw new Error(`its metadata has a description under \`${brief(key)}\`, expected \`${KEY}\``);
  }
  return entries.get(KEY) as string | undefined;
}

/** Whether a text begins as a description does, or has the members of one. */
const isDescription = (key: string, text: string): boolean =>
  text.startsWith('{"format":"stepwell",') ||
  ['"sha256":"', '"content":'].every((part) => key.includes(part) || text.includes(part));

function descriptionOf(text: string): NonNullable<SavedFile["description"]> {
  const wrong = (problem: string) => new Error(`its description: ${problem}`);
  const read = (): Json => {
    try {
      return parsed(text);
    } catch (error) {
      throw wrong((error as Error).message);
    }
  };
  const entries = entriesIn(read()) ?? refuse(wrong("expected an object"));
  const [format, version, sha256] = ["format", "version", "sha256"].map((key) => entries.get(key));
  if (typeof format !== "string") throw wrong("missing field `format`");
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 0)
    throw wrong("missing field `version`");
  if (format !== KEY) throw wrong(`expected the format ${KEY}, given ${brief(format)}`);
  if (version < 1 || version > VERSION) {
    const known = `this release reads versions up to ${VERSION}; read it with a newer release`;
    throw new Error(`version ${version} of the format is unknown: ${known}`);
  }
  if (typeof sha256 !== "string") throw wrong("missing field `sha256`");
  const content = entries.get("content");
  if (content === undefined) throw wrong("missing field `content`");
  return { version, sha256, content };
}

/** The bytes of a file of tensors with a description. Tensors with the largest elements come first, so that all are aligned. */
export function writeFile(tensors: readonly TensorToWrite[], content: Json, place: string): Uint8Array {
  const names = new Set([METADATA]);
  for (const { name } of tensors) {
    if (names.has(name)) {
      const problem = name === METADATA ? "the format needs this name itself" : "two of its tensors have this name";
      const message = `expected other names than \`${brief(name)}\` in ${brief(place)}: ${problem}`;
      throw new StepwellError("ERR_ARGUMENT", message);
    }
    names.add(name);
  }
  const bits = ({ word }: TensorToWrite) => bitsOf(word) as number;
  const order = [...tensors].sort((a, b) => bits(b) - bits(a) || compared(a.name, b.name));
  const rest = JSON.stringify(`","content":${written(content)}}`).slice(1);
  const parts = [`${beginning}${"0".repeat(DIGITS)}${rest}}`];
  let length = 0;
  for (const { name, word, shape, bytes } of order) {
    const offsets = `${length}, ${length + bytes.length}`;
    parts.push(`${JSON.stringify(name)}:{"dtype":"${word}","shape":[${shape.join(", ")}],"data_offsets":[${offsets}]}`);
    length += bytes.length;
  }
  const header = new TextEncoder().encode(`${parts.join(",")}}`);
  // The data begin at a multiple of 8.
  const start = LENGTH_BYTES + Math.ceil(header.length / 8) * 8;
  if (start - LENGTH_BYTES > MAX_HEADER) {
    const message = `cannot write ${brief(place)}: its names need ${start - LENGTH_BYTES} bytes, and the format allows ${MAX_HEADER}`;
    throw new StepwellError("ERR_FILE", message);
  }
  const file = new Uint8Array(start + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - LENGTH_BYTES), true);
  file.fill(32, LENGTH_BYTES, start).set(header, LENGTH_BYTES);
  let at = start;
  for (const { bytes } of order) {
    file.set(bytes, at);
    at += bytes.length;
  }
  file.set(new TextEncoder().encode(checksumOf(file, digits)), digits.start);
  return file;
}

/** The order of names by their bytes in UTF-8, which is the one of their code points. */
export function compared(a: string, b: string): number {
  const [one, other] = [[...a], [...b]];
  for (const [i, letter] of one.entries()) {
    const difference = (letter.codePointAt(0) as number) - (other[i]?.codePointAt(0) ?? -1);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}
