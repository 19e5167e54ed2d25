// The CUDA library of libtorch is loaded at import or not, as STEPWELL_CUDA and the machine say. If it cannot be loaded, libtorch
// computes on the CPU, and the report says why. No GPU is needed.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { libtorch } from "@stepwell/native";
import { afterAll, describe, expect, it } from "vitest";
import { libraryPath, platform } from "../../packages/native/libtorch.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-cuda-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A libtorch with the libraries of this machine's one, and a file in the place of the CUDA library. */
function libtorchWith(name: string, content: string | Uint8Array): string {
  const path = join(folder, name, "torch");
  mkdirSync(join(path, "lib"), { recursive: true });
  for (const file of readdirSync(join(libtorch.path, "lib"))) {
    if (!/torch_cuda/.test(file)) symlinkSync(join(libtorch.path, "lib", file), join(path, "lib", file));
  }
  const nvidia = join(dirname(libtorch.path), "nvidia");
  if (existsSync(nvidia)) symlinkSync(nvidia, join(folder, name, "nvidia"));
  writeFileSync(join(path, "build-version"), "2.11.0+cu130");
  if (content.length > 0) writeFileSync(libraryPath(path, "torch_cuda"), content);
  return path;
}

const sdk = JSON.stringify(import.meta.resolve("@stepwell/sdk"));

/** Reports of the main thread and of a worker. Each has the error of a call on a device and the result of one on the CPU. */
const program = `
  import { isMainThread, parentPort, Worker } from "node:worker_threads";
  import { fileURLToPath } from "node:url";
  const k = await import(${sdk});
  let error;
  try {
    k.tensor([1], "cuda");
  } catch ({ code, message }) {
    error = { code, message };
  }
  const report = { engine: k.engine, info: k.engineInfo.libtorch?.cuda, status: k.cudaStatus(), error, sum: k.tensor(k.mse(k.tensor([3]), [1])) };
  if (!isMainThread) parentPort.postMessage(report);
  else {
    // The worker has another variable, which comes too late.
    const worker = new Worker(fileURLToPath(import.meta.url), { env: { ...process.env, STEPWELL_CUDA: "0" } });
    worker.on("message", (ofWorker) => console.log(JSON.stringify({ report, ofWorker })));
  }
`;
writeFileSync(join(folder, "program.mjs"), program);

interface Report {
  readonly engine: string;
  readonly info: string;
  readonly status: {
    readonly loaded: boolean;
    readonly library: string | null;
    readonly missing: string;
    remedy: string;
  };
  readonly error: { readonly code: string; readonly message: string };
  readonly sum: number;
}

function start(env: Readonly<Record<string, string>>): { readonly report: Report; readonly ofWorker: Report } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(folder, "program.mjs")], {
    encoding: "utf8",
    env: { ...process.env, STEPWELL_ENGINE: "native", ...env },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return JSON.parse(stdout);
}

describe.runIf(platform === "linux-x64")("the CUDA library", () => {
  it.each([
    ["is absent", "", "1", / has no CUDA library$/, /LIBTORCH .* a CUDA build of libtorch 2\.11\.0/],
    ["is no library", "text", "1", /libtorch_cuda\.so cannot be loaded: it is not a shared library$/, /pip install/],
    ["is switched off", "text", "0", /^STEPWELL_CUDA=0 leaves/, /^Unset STEPWELL_CUDA/],
  ])("%s: the CPU works, and the error says why", (name, content, variable, missing, remedy) => {
    const LIBTORCH = libtorchWith(name.replaceAll(" ", "-"), content);
    const { report, ofWorker } = start({ LIBTORCH, STEPWELL_CUDA: variable });
    expect(report).toMatchObject({ engine: "native", sum: 4, error: { code: "ERR_DEVICE" } });
    const { status, error, info } = report;
    expect(status).toMatchObject({ loaded: false, library: content ? libraryPath(LIBTORCH, "torch_cuda") : null });
    expect(status.missing).toMatch(missing);
    expect(status.remedy).toMatch(remedy);
    expect(info).toBe(status.missing);
    expect(error.message).toContain(`${status.missing}. ${status.remedy}`);
    expect(ofWorker).toEqual(report);
  });

  it("has a variable with three values", () => {
    const { status, stderr } = spawnSync(process.execPath, ["-e", `import(${sdk})`], {
      encoding: "utf8",
      env: { ...process.env, STEPWELL_ENGINE: "native", STEPWELL_CUDA: "yes" },
    });
    expect(status).toBe(1);
    expect(stderr).toContain('STEPWELL_CUDA: expected 0, 1 or auto, given "yes"');
  });
});
