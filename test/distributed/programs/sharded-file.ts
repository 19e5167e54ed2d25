// Saves a sharded state of several blocks of the checksum, into a file that the processes share, and where they cannot share one.

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as k from "@stepwell/sdk";

const { path } = JSON.parse(process.argv[2] ?? "{}") as { path: string };
const { rank } = await k.initProcessGroup();
// One parameter of 12 MB, which both processes own in parts, small ones, and buffers.
const net = k.module(
  k.seq("sequential", ["linear", "a", 1500, 2000], ["batchnorm1d", "norm", 2000], ["linear", 2000, 7]),
);
const o = k.opt("adam", net);
await k.distributed(o, { sharded: true });
k.backward(k.sum(k.forward(net, k.full([2, 1500], 0.1))));
await k.stepAsync(o, { zerograd: true });
// An array that differs from process to process: the file has the one of rank 0.
const objects = { net, o, own: Float64Array.of(rank, 2) };
const results: Record<string, unknown> = {};

/** Saves, and compares the file of rank 0 with the bytes that one process writes. */
async function compare(name: string, own: string, objects: k.RunObjects): Promise<void> {
  await k.saveAsync(own, objects);
  const bytes = k.serialize(objects);
  results[name] = rank > 0 || readFileSync(own).equals(bytes);
}

await compare("one file", path, objects);
// A process that cannot write its part, and the next save without its limit.
const limit = (bytes: string) => execFileSync("prlimit", ["--pid", String(process.pid), `--fsize=${bytes}:`]);
if (process.platform === "linux") {
  process.on("SIGXFSZ", () => {});
  const before = readFileSync(path);
  if (rank === 1) limit("1000000");
  results.failed = await k.saveAsync(path, { ...objects, own: Float64Array.of(7, 8) }).then(
    () => "no error",
    (error) => `${error.code} ${error.message}`,
  );
  results.isIntact = readFileSync(path).equals(before);
  await k.barrier();
  results.files = readdirSync(dirname(path));
  await k.barrier();
  if (rank === 1) limit("unlimited");
  await compare("after an error", path, { ...objects, own: Float64Array.of(7, 8) });
}
// Rank 1 has another folder under its path, as on another machine.
const elsewhere = join(dirname(path), `folder of ${rank}`);
mkdirSync(elsewhere);
await compare("no common folder", join(elsewhere, "run"), objects);
results.elsewhere = readdirSync(elsewhere);
await compare("other arrays", path, { ...objects, own: new Float64Array(rank + 1) });
await k.destroyProcessGroup();
console.log(JSON.stringify(results));
