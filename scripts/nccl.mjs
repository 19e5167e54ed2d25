// Builds the library by which processes exchange tensors of GPUs, if the headers of NCCL and CUDA are there. The addons need none of them. No GPU has
// run the library yet.

import { spawnSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { findLibtorch, nccl, pinned, platform } from "../packages/native/libtorch.js";
import { main, root } from "./command.mjs";

/** The library next to the addon, which loads it at the first tensor of a GPU. */
const library = join(root, "packages", "native", "addon", platform, nccl);

const sources = {
  wrapper: join(root, "crates/distributed/src/nccl.cpp"),
  libstdcxx: join(root, "crates/glibc/src/libstdcxx.cpp"),
  glibc: join(root, "crates/glibc/src/glibc.c"),
};
/** Files without which a library is stale. */
const inputs = [
  ...Object.values(sources),
  join(root, "crates/distributed/src/nccl.h"),
  join(root, "crates/distributed/src/guarded.h"),
  join(root, "packages/native/libtorch.json"),
  import.meta.filename,
];

/** Headers of CUDA and NCCL that libtorch's header includes. The folders crt and nv have wheels of their own. */
const headers = [
  "nccl.h",
  "cuda_runtime_api.h",
  "crt/host_config.h",
  "nv/target",
  "cublas_v2.h",
  "cusparse.h",
  "cusolverDn.h",
];

/** The wheels with these headers, as torch 2.11.0 pins NCCL and CUDA. */
const install = `pip install torch==${pinned.version} nvidia-cuda-crt==13.0.88 nvidia-cuda-cccl==13.0.85`;

/**
 * Builds the library against a libtorch, unless it is newer than its sources. Returns whether it was built, or the reason why not.
 */
export function buildNccl(libtorch, target = library) {
  if (platform !== "linux-x64") return { reason: `it is for linux-x64, and this is ${platform}` };
  const age = statSync(target, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (inputs.every((path) => statSync(path).mtimeMs < age)) return { built: false };
  const includes = ["nccl", "cu13"].map((wheel) => join(dirname(libtorch), "nvidia", wheel, "include"));
  const compiler = process.env.CXX || "c++";
  const options = [
    ...[join(libtorch, "include"), join(libtorch, "include/torch/csrc/api/include"), ...includes].flatMap((folder) => [
      "-isystem",
      folder,
    ]),
    "-DUSE_C10D_NCCL",
    "-D_GLIBCXX_USE_CXX11_ABI=1",
    "-std=c++17",
  ];
  const folder = mkdtempSync(join(tmpdir(), "stepwell-nccl-"));
  try {
    const missing = fault(compiler, ["-E", ...options, "-x", "c++", "-"], headers.map(check).join(""));
    if (missing) {
      // An older library does not fit.
      rmSync(target, { force: true });
      return { reason: `${missing.replace(/^.*#error /, "")}. Set LIBTORCH to the folder torch of: ${install}` };
    }
    const [object, fresh] = [join(folder, "glibc.o"), `${target}.${process.pid}`];
    const quiet = ["-fPIC", "-O2", "-Wall", "-fvisibility=hidden", "-fvisibility-inlines-hidden"];
    const problem =
      fault(compiler, ["-x", "c", "-fPIC", "-O2", "-c", sources.glibc, "-o", object]) ??
      // Without libraries: the process has loaded libtorch, and finds all symbols there.
      fault(compiler, [...options, ...quiet, "-shared", sources.wrapper, sources.libstdcxx, object, "-o", fresh]);
    if (problem) {
      rmSync(fresh, { force: true });
      rmSync(target, { force: true });
      return { reason: `${compiler} says: ${problem}` };
    }
    renameSync(fresh, target);
    return { built: true };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Text that a compiler refuses unless it finds a header. */
const check = (header) => `#if !__has_include(<${header}>)\n#error ${header} is missing\n#endif\n`;

/** The first error of a compiler; undefined if it has none. */
function fault(compiler, options, input = "") {
  const { status, stderr, error } = spawnSync(compiler, options, { input, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status === 0) return undefined;
  return error?.message ?? /(?:error|undefined reference)\b.*/.exec(stderr)?.[0] ?? stderr.trim().split("\n").at(-1);
}

/** The outcome as a line for people. */
export function ncclLine({ built, reason }) {
  if (reason) return `nccl: not built, so processes exchange tensors of the CPU alone: ${reason}`;
  return `nccl: ${built ? "built" : "up to date"}, and no GPU has run it yet`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => console.log(ncclLine(buildNccl(findLibtorch({ headers: true }).path))));
}
