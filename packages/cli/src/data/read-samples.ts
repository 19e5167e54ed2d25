// Reads samples from files of every format.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { fileError, formatError, usageError } from "../command-error.js";
import { parseCsv } from "./csv.js";
import { parseIdx } from "./idx.js";
import { parseJsonLines } from "./json-lines.js";
import { parseNpy } from "./npy.js";
import { parseSafetensors } from "./safetensors.js";
import { type Samples, type Selection, samplesOfArrays, samplesOfTable } from "./samples.js";

/** Formats of data. */
export const dataFormats = ["csv", "tsv", "jsonl", "npy", "safetensors", "idx"] as const;

/** A format of data. */
export type DataFormat = (typeof dataFormats)[number];

/** Files of samples. */
export interface DataFiles {
  /** Inputs and targets, or inputs alone. */
  readonly path: string;
  /** Targets; null if the first file has them. */
  readonly targets: string | null;
  /** The format of both; null: by their names. */
  readonly format: DataFormat | null;
  /** Whether the first line of CSV has names. */
  readonly header: boolean;
}

/** Samples with the SHA-256 of the files that they come from. */
export interface ReadSamples {
  readonly samples: Samples;
  readonly sha256: string;
}

/** Reads the samples of files. */
export function readSamples(files: DataFiles, selection: Selection): ReadSamples {
  const format = files.format ?? formatOf(files.path);
  const bytes = readBytes(files.path);
  const hash = createHash("sha256").update(bytes);
  const isTable = format === "csv" || format === "tsv" || format === "jsonl";
  const hasPair = format === "npy" || format === "idx";
  if (hasPair && files.targets === null) throw usageError(`${format} has one array in a file: expected --targets FILE`);
  if (!hasPair && files.targets !== null)
    throw usageError(`${format} has inputs and targets in one file: --targets is for npy and idx`);
  const header = files.header;
  if (!header && format !== "csv" && format !== "tsv")
    throw usageError(`--no-header is for csv and tsv, given ${format}`);
  if (hasPair && (selection.features || selection.target))
    throw usageError(`--features and --target name columns, which ${format} does not have`);
  if (isTable) {
    const text = textOf(files.path, bytes);
    const table =
      format === "jsonl"
        ? parseJsonLines(files.path, text)
        : parseCsv(files.path, text, { delimiter: format === "csv" ? "," : "\t", header });
    return { samples: samplesOfTable(files.path, table, selection), sha256: hash.digest("hex") };
  }
  if (format === "safetensors") {
    const names = [
      oneName("--features", selection.features, "inputs"),
      oneName("--target", selection.target, "targets"),
    ];
    const [inputs, targets] = parseSafetensors(files.path, bytes, names);
    if (!inputs || !targets) throw formatError(files.path, "expected two tensors");
    return { samples: samplesOfArrays(files.path, inputs, targets, selection), sha256: hash.digest("hex") };
  }
  const other = files.targets as string;
  const otherBytes = readBytes(other);
  hash.update(otherBytes);
  const parse = format === "npy" ? parseNpy : parseIdx;
  const samples = samplesOfArrays(files.path, parse(files.path, bytes), parse(other, otherBytes), selection, other);
  return { samples, sha256: hash.digest("hex") };
}

function oneName(option: string, names: readonly string[] | null, ordinary: string): string {
  if (names && names.length !== 1)
    throw usageError(`${option}: expected the name of one tensor, given ${names.length}`);
  return names?.[0] ?? ordinary;
}

/** The format by the end of a name. */
function formatOf(path: string): DataFormat {
  const name = path.toLowerCase().replace(/\.gz$/, "");
  if (name.endsWith(".ndjson")) return "jsonl";
  if (/[-.]idx\d*(?:-ubyte)?$/.test(name) || name.endsWith(".idx")) return "idx";
  const found = dataFormats.find((format) => name.endsWith(`.${format}`));
  if (found) return found;
  throw usageError(`${path}: expected --format ${dataFormats.join(", ")}, since the name tells none`);
}

/** The bytes of a file, unpacked if gzip has packed it. */
export function readBytes(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(path, error);
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw formatError(path, `it cannot be unpacked: ${(error as Error).message}`);
  }
}

function textOf(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw formatError(path, "expected text in UTF-8");
  }
}
