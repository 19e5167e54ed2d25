// `save`, `load`, `inspect`, `serialize` and `deserialize` on an engine that has no files of its own.

import type { BindingArgument } from "../binding.js";
import type { FileContent, RunObjectKind } from "../types/checkpoints.js";
import { Arguments } from "./arguments.js";
import { type Calls, type EncodedClient, failure, kindOf, runCalls } from "./calls.js";
import { elementNameOf } from "./element-types.js";
import { readBytes, replaceFile } from "./file-system.js";
import { entriesIn, withNumbers } from "./json.js";
import { type LoadRequest, loadRequest } from "./load-request.js";
import { loadRun } from "./loaded-run.js";
import { loadModule, moduleBytes } from "./module-file.js";
import { headerLength, readFile, type SavedFile } from "./safetensors.js";
import { runBytes } from "./saved-run.js";

/** The places of bytes in messages: of given ones, and of those that are written. */
const [BYTES, RUN] = ["the given Uint8Array", "the run"];

type Encoded = readonly BindingArgument[];

/** `serialize(objects)` */
export const serialize = (client: EncodedClient, encoded: Encoded): Uint8Array =>
  runCalls(client, "serialize", (calls) => runBytes(calls, new Arguments(encoded), RUN));

/** `deserialize(bytes, [objects], [options])`, without the given objects in the result. */
export function deserialize(client: EncodedClient, args: readonly unknown[]): object {
  const encoded = client.encode("deserialize", args);
  return runCalls(client, "deserialize", (calls) => {
    const request = loadRequest(calls, "deserialize", new Arguments(encoded.slice(1), 1));
    const { buffer, byteOffset, byteLength } = encoded[0] as unknown as DataView;
    // Without methods of its own, as a Buffer of Node has, whose `slice` copies nothing.
    const view = new Uint8Array(buffer, byteOffset, byteLength);
    // Elements of shared memory could change after the checksum was compared.
    const isShared = typeof SharedArrayBuffer === "function" && buffer instanceof SharedArrayBuffer;
    const bytes = isShared ? view.slice() : view;
    return loaded(client, calls, readFile(bytes, BYTES), request, args.slice(1));
  });
}

/** `save(path, objects)` and `save(module, path)` */
export function save(client: EncodedClient, encoded: Encoded): void {
  const args = new Arguments(encoded);
  runCalls(client, "save", (calls) => {
    const first = args.next();
    if (typeof first === "string") return replaceFile("save", first, () => runBytes(calls, args, first));
    const module = moduleOf(calls, args, first);
    const path = args.path();
    args.finish();
    replaceFile("save", path, () => moduleBytes(calls, module, path));
  });
}

/** `load(path, [objects], [options])`, without the given objects in the result, and `load(module, path, [options])` */
export function load(client: EncodedClient, encoded: Encoded, given: readonly unknown[]): unknown {
  const args = new Arguments(encoded);
  return runCalls(client, "load", (calls) => {
    const first = args.next();
    if (typeof first === "string") {
      const request = loadRequest(calls, "load", args);
      return loaded(client, calls, open(first), request, given.slice(1));
    }
    const module = moduleOf(calls, args, first);
    const path = args.path();
    return loadModule(calls, module, args, () => open(path));
  });
}

/** In bytes, 64 MiB. The header of a larger file is checked before memory for its elements is taken. */
const LARGE = 2 ** 26;

function open(path: string): SavedFile {
  const length = (start: Uint8Array, size: number) => (size > LARGE ? headerLength(start) : size);
  const { bytes, size } = readBytes("load", path, length);
  const file = readFile(bytes, path, size);
  return bytes.length === size ? file : readFile(readBytes("load", path).bytes, path);
}

/** `inspect(path)` */
export function inspect(client: EncodedClient, encoded: Encoded, name = "inspect"): FileContent {
  const args = new Arguments(encoded);
  return runCalls(client, name, () => {
    const path = args.path();
    args.finish();
    const { bytes, size } = readBytes(name, path, headerLength);
    return contentOf(readFile(bytes, path, size));
  });
}

function moduleOf(calls: Calls, args: Arguments, given: BindingArgument): bigint {
  const kind = typeof given === "bigint" ? kindOf(given) : "none";
  if (typeof given !== "bigint" || (kind !== undefined && kind !== "module"))
    throw args.misfit("a module handle", given);
  calls.call("class", given);
  return given;
}

/** The objects of a file, of which the given ones are set. `args` are what the caller gave. */
function loaded(
  client: EncodedClient,
  calls: Calls,
  file: SavedFile,
  request: LoadRequest,
  args: readonly unknown[],
): object {
  const { made, report } = loadRun(calls, file, request);
  if (report !== undefined) return report;
  const ids = made.flatMap(([, value]) => ("id" in value ? [value.id] : []));
  const handles = client.handlesOf(ids, args);
  let next = 0;
  return Object.fromEntries(made.map(([name, value]) => [name, "id" in value ? handles[next++] : value.data]));
}

function contentOf({ tensors, description, bytes }: SavedFile): FileContent {
  let content = null;
  try {
    content = description ? withNumbers(description.content) : null;
  } catch (error) {
    throw failure("ERR_FORMAT", (error as Error).message);
  }
  const objects = entriesIn(entriesIn(content ?? undefined)?.get("objects")) ?? new Map();
  return {
    version: description?.version ?? null,
    sha256: description?.sha256 ?? null,
    bytes,
    objects: Object.fromEntries(
      Array.from(objects, ([name, object]) => [name, entriesIn(object)?.get("kind") as RunObjectKind]),
    ),
    tensors: Array.from(tensors, ([name, { word, shape, length }]) => ({
      name,
      dtype: elementNameOf(word) ?? word,
      shape: [...shape],
      bytes: length,
    })),
  };
}
