// Several processes with tensors on GPUs, one for each process, against the same processes with tensors on the CPU, to the bit. Without a GPU the
// device is the CPU, too.

import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { expect, it } from "vitest";
import { launchProgram } from "../group-of-processes.js";
import { deviceUnderTest } from "./device-under-test.js";

/** The compiled program. In the folder of `npm run pack-gpu` this file is compiled, too. */
const folder = import.meta.filename.endsWith(".ts") ? join(import.meta.dirname, "../dist/gpu") : import.meta.dirname;
const program = join(folder, "programs", "ranks.js");
const onCpu = deviceUnderTest() === "cpu";
const size = onCpu ? 2 : Math.min(k.cudadevices(), 4);
/** In seconds. */
const timeout = 15;

interface Result {
  readonly error: string;
  readonly differing: readonly string[];
  readonly count: number;
  /** The error of the operation after the last process has ended. */
  readonly afterwards?: string;
}

it("have the bits of processes on the CPU, and errors when one ends", async () => {
  const ranks = await launchProgram(program, size, { device: onCpu ? "cpu" : "cuda", timeout });
  const ended = await Promise.all(ranks.map((rank) => rank.ended));
  const results = ended.map(({ out, error }): Result => {
    if (out === "") throw new Error(error);
    return JSON.parse(out);
  });
  if (!onCpu && k.engineInfo.libtorch?.nccl === null) {
    for (const { error } of results)
      expect(error).toMatch(/^ERR_DEVICE .* exchange tensors of GPUs by NCCL, and .* does not exist/);
    return;
  }
  for (const [rank, { error, differing, count, afterwards }] of results.entries()) {
    expect([rank, error, differing]).toEqual([rank, "none", []]);
    expect(count).toBe(4 * 4 + 4 * 8);
    if (size === 1) expect(afterwards).toBe("none");
    else if (rank < size - 1) expect(afterwards).toMatch(/^ERR_DISTRIBUTED /);
  }
});
