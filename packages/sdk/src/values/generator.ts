// The state of the generator of random numbers as the files of runs have it, and as the numbers of the engine.

import { StepwellError } from "../errors.js";
import { describeValue } from "./describe.js";
import { isDictionary } from "./plain-data.js";

/** The state of the generator of random numbers, ChaCha8. */
export interface GeneratorState {
  /** The key, 64 hexadecimal digits. A seed gives one. */
  readonly key: string;
  /** How many words of 32 bits were drawn, as digits. */
  readonly position: string;
}

const isPlain = (value: unknown) => typeof value === "object" && value !== null && isDictionary(value);

/** Words of 32 bits of a key. */
const WORDS = 8;

/** The state of the words of a key and a position. */
export function generatorState(numbers: Float64Array): GeneratorState {
  const bytes = new DataView(new ArrayBuffer(4 * WORDS));
  for (let i = 0; i < WORDS; i++) bytes.setUint32(4 * i, numbers[i] as number, true);
  const digits = Array.from(new Uint8Array(bytes.buffer), (byte) => byte.toString(16).padStart(2, "0"));
  return { key: digits.join(""), position: String(numbers[WORDS]) };
}

/** The generator of a rank that follows from a state of rank 0, with another key. */
export function generatorOfRank(state: GeneratorState, rank: number): GeneratorState {
  const numbers = generatorNumbers("generator", state);
  numbers[WORDS - 1] = ((numbers[WORDS - 1] as number) + rank) % 2 ** 32;
  return generatorState(numbers);
}

/** The words of a key and a position of a state. */
export function generatorNumbers(where: string, state: unknown): Float64Array {
  const expected =
    "expected a state of the generator: { key, position }, 64 hexadecimal digits and a whole number as text";
  if (!isPlain(state)) throw new StepwellError("ERR_ARGUMENT", `${where}: ${expected}, given ${describeValue(state)}`);
  const { key, position, ...others } = state as Partial<GeneratorState>;
  const isKey = typeof key === "string" && /^[0-9a-f]{64}$/.test(key);
  const isPosition = typeof position === "string" && /^\d{1,16}$/.test(position) && Number.isSafeInteger(+position);
  if (!isKey || !isPosition || Object.keys(others).length > 0) {
    throw new StepwellError("ERR_FORMAT", `${where}: ${expected}, given ${describeValue(state)}`);
  }
  const bytes = Uint8Array.from({ length: 4 * WORDS }, (_, i) => Number.parseInt(key.slice(2 * i, 2 * i + 2), 16));
  const view = new DataView(bytes.buffer);
  const numbers = Array.from({ length: WORDS }, (_, i) => view.getUint32(4 * i, true));
  return Float64Array.of(...numbers, Number(position));
}
