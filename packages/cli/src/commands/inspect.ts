// `stepwell inspect`: the content of a safetensors file.

import type { FileContent } from "@stepwell/sdk";
import { formatError } from "../command-error.js";
import { readHeader } from "../data/safetensors-header.js";
import { type Environment, printResult } from "../output/environment.js";
import { byteCount, whole } from "../output/numbers.js";
import { textTable } from "../output/text-table.js";

/** Runs the command. */
export async function inspectFile(path: string, environment: Environment): Promise<void> {
  const { text, bytes } = readHeader(path);
  const { engine, inspect } = await import("@stepwell/sdk");
  const content = engine === "native" ? inspect(path) : contentOf(path, text, bytes);
  printResult(environment, describe(path, content), { path, ...content });
}

/** Words of element types by the words of safetensors. */
const dtypes: Readonly<Record<string, string>> = {
  F64: "double",
  F32: "float",
  F16: "half",
  BF16: "bfloat16",
  I64: "long",
  BOOL: "bool",
};

/** The content of a file from its header, as `inspect` has it: the WebAssembly engine does not open files. */
function contentOf(path: string, text: string, bytes: number): FileContent {
  try {
    const { __metadata__: metadata, ...entries } = JSON.parse(text);
    const description = metadata?.stepwell === undefined ? undefined : JSON.parse(metadata.stepwell);
    const objects = Object.entries<{ kind: FileContent["objects"][string] }>(description?.content?.objects ?? {});
    return {
      version: description?.version ?? null,
      sha256: description?.sha256 ?? null,
      bytes,
      objects: Object.fromEntries(objects.map(([name, { kind }]) => [name, kind])),
      tensors: Object.entries<{ dtype: string; shape: number[]; data_offsets: [number, number] }>(entries)
        .sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0])
        .map(
          ([
            name,
            {
              dtype,
              shape,
              data_offsets: [begin, end],
            },
          ]) => {
            return { name, dtype: dtypes[dtype] ?? dtype, shape, bytes: end - begin };
          },
        ),
    };
  } catch {
    throw formatError(path, "expected a safetensors file");
  }
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
