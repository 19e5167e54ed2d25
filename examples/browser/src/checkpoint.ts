// A checkpoint in the origin private file system, which belongs to the site and needs no permission.

import { deserialize, type ModuleHandle, type OptimizerHandle, serialize } from "@stepwell/sdk";
import type { Training } from "./spirals.js";

const name = "spirals.safetensors";

/** Saves a training. The file is replaced when it is closed, so that it is never half of one. */
export async function save({ net, optimizer, steps }: Training): Promise<void> {
  const bytes = serialize({ net, optimizer, steps });
  const folder = await navigator.storage.getDirectory();
  const file = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await file.write(bytes as Uint8Array<ArrayBuffer>);
  await file.close();
}

/** The training of the last visit, or undefined. It goes on to the bit. */
export async function load(): Promise<Training | undefined> {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle(name).catch(() => undefined);
  const bytes = await (await handle?.getFile())?.arrayBuffer();
  // A file that was never closed is empty.
  if (!bytes?.byteLength) return undefined;
  return deserialize<{ net: ModuleHandle; optimizer: OptimizerHandle; steps: number }>(new Uint8Array(bytes));
}

/** Forgets the training. */
export async function forget(): Promise<void> {
  const folder = await navigator.storage.getDirectory();
  await folder.removeEntry(name).catch(() => undefined);
}
