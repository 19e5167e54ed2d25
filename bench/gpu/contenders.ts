// The contenders of the benchmark on a GPU.

import { fileURLToPath } from "node:url";
import type { Program } from "../child.js";

export interface GpuContender {
  readonly name: string;
  readonly program: Program;
  readonly implementation: string;
  /** Whether its steps are Stepwell's own, with 32-bit master weights. */
  readonly ours: boolean;
}

const node: Program = {
  command: process.execPath,
  args: [fileURLToPath(new URL("../children/gpu.js", import.meta.url))],
};
/** Python with torch 2.11. */
export const python: Program = {
  command: process.env.STEPWELL_BENCH_PYTHON ?? "python3",
  args: [fileURLToPath(new URL("../../children/gpu.py", import.meta.url))],
};

/** Stepwell comes first: ratios are relative to it. */
export const contenders: readonly GpuContender[] = [
  { name: "Stepwell", program: node, implementation: "kernels", ours: true },
  { name: "Stepwell, offload", program: node, implementation: "offload", ours: true },
  { name: "Stepwell, fused: false", program: node, implementation: "library", ours: false },
  { name: "PyTorch fused", program: python, implementation: "fused", ours: false },
  { name: "PyTorch foreach", program: python, implementation: "foreach", ours: false },
];

/** The copy of 1 GiB on the device, as a yardstick. */
export const copy: GpuContender = { name: "device copy", program: python, implementation: "copy", ours: false };
