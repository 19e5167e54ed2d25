// The contenders. One that this machine lacks is left out, with the reason.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Program, Request } from "./child.js";
import { count } from "./numbers.js";
import { fusedInPyTorch } from "./optimizers.js";

export interface Contender {
  readonly name: string;
  /** The command that starts it, or the reason why it cannot be started. */
  readonly find: () => Program | string;
  /** The implementation that is timed. */
  readonly implementation?: string;
  /** The reason why it is not timed on a case, or undefined. */
  readonly refuses?: (request: Request) => string | undefined;
}

const bench = fileURLToPath(new URL("..", import.meta.url));
const compiled = (file: string) => join(bench, "dist", "children", file);
/** The folder of the programs of native/, which scripts/run.mjs builds. */
const programs = process.env.STEPWELL_BENCH_PROGRAMS ?? join(bench, "..", "target", "release");

const node =
  (file: string, ...args: readonly string[]) =>
  (): Program => ({ command: process.execPath, args: [file, ...args] });
const native = (name: string) => () => {
  const command = join(programs, process.platform === "win32" ? `${name}.exe` : name);
  return existsSync(command) ? { command, args: [] } : `${command} is not built: use npm run bench`;
};

/** The SDK's entry for WebAssembly. */
const wasmEntry = "@stepwell/sdk/wasm";

function wasm(): Program | string {
  try {
    import.meta.resolve(wasmEntry);
    return node(compiled("stepwell.js"), wasmEntry)();
  } catch {
    return `${wasmEntry} is not here`;
  }
}

const peer = (file: string) => (): Program | string =>
  existsSync(join(bench, "peers", "node_modules"))
    ? node(join(bench, "peers", file))()
    : "not installed: npm run bench -- --install-peers";

let python: string | undefined;
/** A Python that has torch 2.11: STEPWELL_BENCH_PYTHON, or the machine's own. */
function findPython(): string | undefined {
  const wanted = process.env.STEPWELL_BENCH_PYTHON;
  const program = "import torch; assert torch.__version__.startswith('2.11.')";
  const has = (name: string) => spawnSync(name, ["-c", program], { stdio: "ignore" }).status === 0;
  python ??= (wanted ? [wanted] : ["python3", "python"]).find(has) ?? "";
  return python || undefined;
}
const torch = (implementation: string) => (): Program | string => {
  const command = findPython();
  if (command === undefined) return "no Python with torch 2.11 was found: STEPWELL_BENCH_PYTHON may name one";
  return { command, args: [join(bench, "children", "pytorch.py"), implementation] };
};

const steps = ({ do: what }: Request) => (what === "make" ? undefined : "it is asked for steps only");
const steppedBy =
  (...optimizers: readonly string[]) =>
  (request: Request) =>
    steps(request) ?? (request.do === "make" && optimizers.includes(request.optimizer) ? undefined : "it has none");

/** Adam and the training. More tensors than these take minutes to compile, and more parameters show nothing new. */
const javascript = (most: { readonly tensors: number; readonly parameters: number }) => (request: Request) => {
  if (request.do === "train") return undefined;
  if (request.do !== "make") return "it is asked for steps only";
  if (request.optimizer !== "adam" || request.options.amsgrad) return "only Adam was written";
  if (request.shapes.length > most.tensors) return "too many tensors for it";
  return count(request.shapes) > most.parameters ? "too many parameters for it" : undefined;
};

export const stepwell: Contender = { name: "Stepwell", find: node(compiled("stepwell.js")) };
export const inRust: Contender = { name: "Stepwell in Rust", find: native("session"), refuses: steps };
export const stream: Contender = { name: "memory stream", find: native("stream") };
export const library: Contender = {
  name: "libtorch C++",
  find: node(compiled("stepwell.js")),
  implementation: "library",
  refuses: (request) =>
    steps(request) ?? (request.do === "make" && request.optimizer === "lamb" ? "it has no LAMB" : undefined),
};
/** Steps on copies in host memory. Here the parameters are there, too: what a GPU adds is the transfer. */
export const offloaded: Contender = {
  name: "Stepwell, offload",
  find: node(compiled("stepwell.js")),
  implementation: "offload",
  refuses: steps,
};
export const torchLoop: Contender = { name: "PyTorch loop", find: torch("loop") };
export const torchForeach: Contender = {
  name: "PyTorch foreach",
  find: torch("foreach"),
  refuses: (request) => (request.do === "make" && request.optimizer === "lamb" ? "it has no LAMB" : undefined),
};
/** PyTorch as most programs use it: operations one by one, and the optimizer's default. */
export const torchEager: Contender = { name: "PyTorch eager", find: torch("eager") };
export const torchFused: Contender = {
  name: "PyTorch fused",
  find: torch("fused"),
  refuses: (request) =>
    request.do === "make" && !fusedInPyTorch.includes(request.optimizer) ? "it has no fused kernel" : undefined,
};
export const tch: Contender = {
  name: "tch",
  find: native("tch"),
  refuses: steppedBy("adam", "adamw", "sgd", "rmsprop"),
};
/** Loops with only the arithmetic and the memory traffic, for a processor with AVX-512. In one thread. */
export const loops: Contender = {
  name: "loops by hand",
  find: native("loops"),
  refuses: steppedBy("adam", "lamb"),
};
/** The engine in Rust alone, as an addon: what a program has without libtorch. */
export const ourRust: Contender = {
  name: "Stepwell rust",
  find: node(compiled("stepwell.js"), "@stepwell/sdk", "rust"),
};
export const ourWasm: Contender = { name: "Stepwell wasm", find: wasm };
export const tfjs: Contender = {
  name: "tfjs wasm",
  find: peer("tfjs.mjs"),
  refuses: (request) =>
    ["convert", "gpt"].includes(request.do) ? undefined : javascript({ tensors: 1000, parameters: 5_000_000 })(request),
};
export const jax: Contender = {
  name: "jax-js wasm",
  find: peer("jax.mjs"),
  refuses: (request) =>
    request.do === "gpt" ? undefined : javascript({ tensors: 100, parameters: 5_000_000 })(request),
};
export const plain: Contender = {
  name: "plain JS",
  find: node(compiled("plain.js")),
  refuses: (request) =>
    request.do === "convert" ? undefined : javascript({ tensors: 1000, parameters: 70_000_000 })(request),
};

/** Stepwell as examples/digits uses it. */
export const demonstration: Contender = { name: "demo", find: node(compiled("demo.js")) };

/** The load of libtorch's library without Stepwell, and the import of Stepwell, each in a fresh process. */
export const libtorchAlone: Contender = { name: "libtorch_cpu alone", find: node(compiled("start.js"), "libtorch") };
export const sdkImport: Contender = { name: "import of Stepwell", find: node(compiled("start.js"), "sdk") };

/** All contenders, ours first. */
export const contenders: readonly Contender[] = [
  ...[stepwell, inRust, library, torchLoop, torchForeach, torchFused, tch],
  ...[ourWasm, tfjs, jax, plain],
];
