// The rows of a module in the description of a file, checked as the engine checks the result of `state(module)`.

import { failure } from "./calls.js";
import { describeJson } from "./described.js";
import type { NamedArrays } from "./given-tensors.js";
import { entriesIn, type Json, type JsonObject } from "./json.js";
import { pathsOf } from "./module-layout.js";
import { joined, referenced } from "./plain-data.js";

/** The most levels of modules. */
const MAX_DEPTH = 128;

const columns = ["depth", "module", "name", "options", "parms", "buffers", "names", "tied"];

/** A row of a module. */
interface ModuleRow {
  readonly depth: number;
  readonly name: string;
  readonly parms: JsonObject;
  readonly buffers: JsonObject;
}

/** A tensor of a row, with the dotted name of it in the module. */
interface RowTensor {
  readonly name: string;
  /** The name of its array, or of the tensor that it is, which has another place. */
  readonly value: Json;
}

/** The names of the tensors in rows of a module, each with the name of its array. */
export const arraysOfRows = (rows: Json): NamedArrays =>
  tensorsOfRows(rows).flatMap(({ name, value }) => {
    const array = referenced(value);
    return array === undefined ? [] : [[name, array] as const];
  });

/** By the name of each tensor that has another place that place. */
export const aliasesOfRows = (rows: Json): readonly (readonly [name: string, place: string])[] =>
  tensorsOfRows(rows).flatMap(({ name, value }) => (typeof value === "string" ? [[name, value] as const] : []));

/** The tensors of all rows, parameters before buffers in each. */
function tensorsOfRows(rows: Json): readonly RowTensor[] {
  if (!Array.isArray(rows)) throw malformed("a list of rows", rows);
  const parsed = rows.map(rowOf);
  const paths = pathsOf(parsed);
  return parsed.flatMap(({ parms, buffers }, i) =>
    [...parms, ...buffers].map(([name, value]) => ({ name: joined(paths[i] as string, name), value })),
  );
}

function rowOf(given: Json): ModuleRow {
  const entries = entriesIn(given);
  if (!entries) throw malformed("a row as a dictionary", given);
  for (const key of entries.keys()) {
    if (columns.includes(key)) continue;
    throw failure("ERR_FORMAT", `module state: unknown key \`${key}\`, expected some of ${columns.join(", ")}`);
  }
  const column = (key: string): Json => {
    const value = entries.get(key);
    if (value === undefined) throw failure("ERR_FORMAT", `module state: a row lacks the column \`${key}\``);
    return value;
  };
  const dictionary = (key: string): JsonObject => {
    const value = column(key);
    const found = entriesIn(value);
    if (!found) throw malformed(`${key} as a dictionary`, value);
    return found;
  };
  const [depth, kind, name] = [column("depth"), column("module"), column("name")];
  if (typeof depth !== "number" || typeof kind !== "string" || typeof name !== "string") {
    throw malformed("depth, module and name as a number and two strings", given);
  }
  if (!Number.isInteger(depth) || depth < 0 || depth > MAX_DEPTH) {
    throw failure("ERR_FORMAT", `module state: depth ${depth} is not from 0 to ${MAX_DEPTH}`);
  }
  const [names, tied] = [entries.get("names"), entries.get("tied")];
  if (names !== undefined && !Array.isArray(names)) throw malformed("names as a list", names);
  if (tied !== undefined && typeof tied !== "string") throw malformed("tied as a string", tied);
  if (name.includes(".")) throw failure("ERR_ARGUMENT", `expected a name without dots, given "${name}"`);
  dictionary("options");
  return { depth, name, parms: dictionary("parms"), buffers: dictionary("buffers") };
}

const malformed = (expected: string, given: Json) =>
  failure("ERR_FORMAT", `module state: expected ${expected}, given ${describeJson(given)}`);
