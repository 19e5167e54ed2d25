// A checkpoint in the origin private file system, which belongs to the site and needs no permission.

import { module, opt, state } from "@stepwell/sdk";
import type { Training } from "./spirals.js";

const name = "spirals.json";

/** Saves a training. The file is replaced when it is closed, so that it is never half of one. */
export async function save({ net, optimizer, steps }: Training): Promise<void> {
  const folder = await navigator.storage.getDirectory();
  const file = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await file.write(JSON.stringify({ net: state(net), optimizer: state(optimizer), steps }));
  await file.close();
}

/** The training of the last visit, or undefined. It goes on to the bit. */
export async function load(): Promise<Training | undefined> {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle(name).catch(() => undefined);
  const text = await (await handle?.getFile())?.text();
  if (!text) return undefined;
  const saved = JSON.parse(text);
  const net = module(saved.net);
  return { net, optimizer: opt(saved.optimizer, net), steps: saved.steps };
}

/** Forgets the training. */
export async function forget(): Promise<void> {
  const folder = await navigator.storage.getDirectory();
  await folder.removeEntry(name).catch(() => undefined);
}
