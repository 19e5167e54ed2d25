// `stepwell inspect`: the content of a safetensors file.

import { closeSync, openSync } from "node:fs";
import type { FileContent } from "@stepwell/sdk";
import { fileError } from "../command-error.js";
import { type Environment, printResult } from "../output/environment.js";
import { byteCount, whole } from "../output/numbers.js";
import { textTable } from "../output/text-table.js";

/** Runs the command. */
export async function inspectFile(path: string, environment: Environment): Promise<void> {
  try {
    closeSync(openSync(path, "r"));
  } catch (error) {
    throw fileError(path, error);
  }
  const { inspect } = await import("@stepwell/sdk");
  const content = inspect(path);
  printResult(environment, describe(path, content), { path, ...content });
}

function describe(path: string, { version, sha256, bytes, objects, tensors }: FileContent): string {
  const elements = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  const names = Object.entries(objects);
  const kind = version === null ? "safetensors of another program" : names.length > 0 ? "run" : "module";
  const lines = [
    `${path}: ${kind}, ${byteCount(bytes)}, ${tensors.length} tensors of ${whole(elements)} elements`,
    ...(sha256 === null ? [] : [`sha256 ${sha256}`]),
  ];
  if (names.length > 0) lines.push("", textTable([["object", "kind"], ...names.map(([name, kind]) => [name, kind])]));
  if (tensors.length > 0) {
    const rows = tensors.map(({ name, dtype, shape, bytes }) => [
      name,
      dtype,
      `[${shape.join(", ")}]`,
      byteCount(bytes),
    ]);
    lines.push("", textTable([["tensor", "type", "shape", "bytes"], ...rows], [3]));
  }
  return lines.join("\n");
}
