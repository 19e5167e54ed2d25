// The file of a run of 200 MB against `dd` with fsync and `cat`, on the same disk in the same run: `node bench/dist/files.js [folder]`.
// Every round has all of them, and `readFileSync`, which reads into new memory as a load of new objects does. Before each read, the pages of the file leave the cache of the system, so that the disk is read.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";

const ROUNDS = 9;
/** The share of the speed of `dd` and `cat` that a file has to reach. */
const BAR = 0.7;

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), "stepwell-files-"));
const [file, copy] = [join(folder, "run.safetensors"), join(folder, "copy")];

/** Writes a file to the disk, and drops its pages from the cache. */
function drop(path: string): void {
  execFileSync("dd", [`of=${path}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"]);
}

function seconds(call: () => void): number {
  const start = process.hrtime.bigint();
  call();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;

try {
  const net = k.module(["linear", "fc", 4096, 4096, false]);
  const optimizer = k.opt("adam", net);
  k.backward(k.mse(k.forward(net, k.full([1, 4096], 0.1)), k.full([1, 4096], 1)));
  k.step(optimizer, { zerograd: true });
  const run = { net, optimizer };
  k.save(file, run);
  const bytes = statSync(file).size;
  const times: Record<"save" | "dd" | "load" | "made" | "cat" | "read", number[]> = {
    save: [],
    dd: [],
    load: [],
    made: [],
    cat: [],
    read: [],
  };
  for (let round = 0; round < ROUNDS; round++) {
    rmSync(copy, { force: true });
    times.dd.push(
      seconds(() => execFileSync("dd", [`if=${file}`, `of=${copy}`, "bs=1M", "conv=fsync", "status=none"])),
    );
    times.save.push(seconds(() => k.save(file, run)));
    drop(copy);
    times.cat.push(seconds(() => execFileSync("sh", ["-c", `cat ${copy} > /dev/null`])));
    drop(file);
    times.load.push(seconds(() => k.load(file, run)));
    drop(copy);
    times.read.push(seconds(() => readFileSync(copy)));
    drop(file);
    times.made.push(seconds(() => k.free(...(Object.values(k.load(file)) as k.ModuleHandle[]))));
  }
  console.log(`${(bytes / 1e6).toFixed(0)} MB, medians of ${ROUNDS} rounds`);
  for (const [name, list] of Object.entries(times))
    console.log(`${name}: ${(bytes / 1e6 / median(list)).toFixed(0)} MB/s`);
  const shares = { save: times.dd, load: times.cat, made: times.cat };
  const shareOf = (anchor: readonly number[], own: readonly number[]) =>
    median(anchor.map((time, i) => time / (own[i] ?? Number.NaN)));
  for (const [name, anchor] of Object.entries(shares)) {
    const share = shareOf(anchor, times[name as keyof typeof shares]);
    console.log(`${name}: ${share.toFixed(2)} of ${anchor === times.dd ? "dd" : "cat"}`);
    if (!(share >= BAR)) process.exitCode = 1;
  }
  console.log(`made: ${shareOf(times.read, times.made).toFixed(2)} of readFileSync`);
} finally {
  rmSync(folder, { recursive: true });
}
