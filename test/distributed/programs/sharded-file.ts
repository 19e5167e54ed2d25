// Saves a sharded state of several blocks of the checksum, into a file that the processes share, and where they cannot share one.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
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
process.chdir(elsewhere);
await compare("no common folder", "run", objects);
results.elsewhere = readdirSync(elsewhere);
await compare("other arrays", path, { ...objects, own: new Float64Array(rank + 1) });
// Calls in which the processes name other objects, or another path, write nothing.
const isFirst = rank === 0;
const make = async () => {
  const parameter = k.tensor([1, 2, 3, 4], { grad: true });
  const optimizer = k.opt("adam", parameter);
  await k.distributed(optimizer, { sharded: true });
  k.backward(k.sum(parameter));
  await k.stepAsync(optimizer);
  return [parameter, optimizer] as const;
};
const [[p, a], [q, b]] = [await make(), await make()];
const twice = k.opt("sgd", p, { momentum: 0.5 });
await k.distributed(twice, { sharded: true });
const other = join(dirname(path), "other");
const differing: Readonly<Record<string, readonly [path: string, objects: k.RunObjects]>> = {
  order: [other, isFirst ? { p, q, a, b } : { p, q, b, a }],
  names: [other, isFirst ? { p, q, a, b } : { p, q, a: b, b: a }],
  parameters: [other, isFirst ? { p, q, a, b } : { p: q, q: p, a, b }],
  kinds: [other, isFirst ? { p, q, a, b, more: p } : { p, q, a, b, more: 1 }],
  "one more": [other, isFirst ? { p, a } : { p, a, more: 1 }],
  "another path": [isFirst ? other : `${other}s`, { p, a }],
  "no path": [isFirst ? other : "", { p, a }],
};
const refused: Record<string, string> = {};
const outcome = (call: () => unknown) =>
  (async () => call())().then(
    () => "no error",
    (error) => `${error.code} ${error.message}`,
  );
for (const [name, [path, objects]] of Object.entries(differing)) {
  refused[name] = await outcome(() => k.saveAsync(path, objects));
}
refused.serialize = await outcome(() => k.serialize(isFirst ? { p, q, a, b } : { p, q, b, a }));
refused.state = await outcome(() => k.state(isFirst ? a : b));
results.refused = refused;
results.isNothingWritten = !existsSync(other) && !existsSync(`${other}s`);
// A parameter of two optimizers has one owner in the file.
await compare("two optimizers of a parameter", other, { p, q, a, b, twice });
await k.destroyProcessGroup();
console.log(JSON.stringify(results));
