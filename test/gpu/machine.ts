// The machine of a run: the GPU, its driver, and the libtorch that a process with the SDK finds.

import { spawnSync } from "node:child_process";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { reasonIn } from "./processes.js";
import type { Machine } from "./results.js";

/** Prints what the SDK says of its engine. In a process of its own, which cannot take the run with it. */
const program = `
const k = await import("@stepwell/sdk");
const status = typeof k.cudaStatus === "function" ? k.cudaStatus() : k.engineInfo.libtorch?.cuda;
console.log(JSON.stringify({ libtorch: k.engineInfo.libtorch, status }));`;

export function machineOf(device: string): Machine {
  const [gpu = "", driver = ""] = (
    outputOf("nvidia-smi", ["--query-gpu=name,driver_version", "--format=csv,noheader"]) ?? ""
  )
    .split("\n")[0]
    ?.split(", ") ?? [""];
  const { libtorch, cuda } = engine();
  return {
    date: new Date().toISOString().slice(0, 10),
    device,
    gpu: gpu || "none: nvidia-smi does not run",
    driver: driver || "none",
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${arch()} ${release()}, glibc ${glibc()}`,
    node: process.versions.node,
    libtorch,
    cuda,
  };
}

function engine(): Pick<Machine, "libtorch" | "cuda"> {
  const env = { ...process.env, STEPWELL_ENGINE: "native" };
  const options = { encoding: "utf8", env, cwd: import.meta.dirname, timeout: 60_000 } as const;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], options);
  try {
    const { libtorch, status } = JSON.parse(stdout);
    const cuda = typeof status === "string" ? status : JSON.stringify(status);
    return { libtorch: `${libtorch.version} in ${libtorch.path}, from ${libtorch.source}`, cuda };
  } catch {
    return { libtorch: reasonIn(stderr) || "the process ended", cuda: "unknown" };
  }
}

function glibc(): string {
  const { header } = process.report.getReport() as { readonly header: { readonly glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime ?? "none";
}

function outputOf(command: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8", timeout: 20_000 });
  return status === 0 ? stdout.trim() : undefined;
}
