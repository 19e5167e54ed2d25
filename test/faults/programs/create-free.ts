// Makes and frees objects of each kind in a loop, and calls that fail; measures what is left.

import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { configured, say } from "./lines.js";

export interface CreateFreeConfig {
  readonly folder: string;
  readonly cycles: number;
  readonly planted?: "a handle" | "memory";
}

export interface CreateFreeReport {
  readonly kind: string;
  readonly cycles: number;
  /** Objects that are left. */
  readonly live: number;
  /** Growth of the memory after a warm-up of a tenth, in bytes. */
  readonly growth: number;
  readonly problem?: string;
}

const { folder, cycles, planted } = configured<CreateFreeConfig>();
k.setting("threads", 1);
const path = join(folder, "run");
/** In bytes: the resident memory, with the used part of the heap of JavaScript alone. Its free part grows and shrinks as V8 decides. */
function memory(): number {
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return rss - heapTotal + heapUsed;
}
const collect = globalThis.gc as () => void;

function refused(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (error instanceof k.StepwellError) return;
    throw error;
  }
  throw new Error("a call that must fail has succeeded");
}

const network = () => k.module(k.seq("sequential", ["linear", "a", 4, 8], "tanh", ["linear", "b", 8, 2]));
const names = ["adagrad", "adam", "adamw", "lamb", "lbfgs", "rmsprop", "sgd"] as const;
const rows = [
  [1, 2, 3, 4],
  [2, 3, 4, 5],
];
const targets = [
  [1, 0],
  [0, 1],
];
const kept = network();
k.save(path, { kept });
const live = k.tensor([1, 2, 3], "grad");

const cases: Readonly<Record<string, () => void>> = {
  tensor: () => k.free(k.tensor([1, 2, 3])),
  "tensor of a typed array": () => k.free(k.tensor(new Float32Array(64))),
  "tensor that is read": () => {
    const x = k.full([16], 1);
    k.data(x);
    k.tensor(x);
    k.free(x);
  },
  vector: () => k.free(k.vector([1, 2], [3])),
  dictionary: () => k.free(k.dict({ a: [1, 2] })),
  loss: () => k.free(k.loss("mse")),
  module: () => k.free(network()),
  "module that is copied": () => k.free(k.clone(kept)),
  "a function as a module": () => k.free(k.callback((x: k.TensorHandle) => k.tanh(x))),
  "graph and gradients": () =>
    k.scoped(() => {
      k.backward(k.mse(k.forward(kept, rows), targets));
      k.zerograd(kept);
    }),
  ...Object.fromEntries(
    names.map((name) => [
      `optimizer ${name} with state`,
      () =>
        k.scoped(() => {
          const m = network();
          const o = k.opt(name as "adam", m);
          k.step(o, () => {
            k.zerograd(o);
            const loss = k.mse(k.forward(m, rows), targets);
            k.backward(loss);
            return loss;
          });
          const state = k.state(o);
          k.opt(state, m);
        }),
    ]),
  ),
  model: () =>
    k.scoped(() => {
      const m = network();
      const model = k.model(m, k.loss("mse"), k.opt("sgd", m, 0.01));
      k.train(model, rows, targets);
      k.run(model);
    }),
  "run in a file": () => {
    k.save(path, { kept });
    const loaded = k.load<{ kept: k.ModuleHandle }>(path);
    k.free(loaded.kept);
    k.load(path, { kept });
  },
  "a tensor that is refused": () => refused(() => k.tensor([[1, 2], [3]] as never)),
  "a module that is refused": () => refused(() => k.module(["linear", 2, -1])),
  "an option that is refused": () => refused(() => k.opt("adam", live, { beta1: 2 })),
  "a state that is refused": () => {
    const o = k.opt("adam", live);
    const state = k.state(o);
    refused(() => k.opt({ ...state, groups: [] } as never, live));
    k.free(o);
  },
  "a pass that is refused": () => refused(() => k.forward(kept, [[1, 2]])),
  "a step whose closure throws": () => {
    const o = k.opt("lbfgs", live);
    try {
      k.step(o, () => {
        throw new RangeError("the caller's");
      });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    k.free(o);
  },
  "a file that is not there": () => refused(() => k.load(join(folder, "absent"))),
  "a folder as a file": () => refused(() => k.save(folder, { kept })),
  "a file of another module": () => {
    const other = k.module(["linear", 2, 2]);
    refused(() => k.load(path, { kept: other }));
    k.free(other);
  },
  "a handle that was freed": () => {
    const x = k.tensor([1]);
    k.free(x);
    refused(() => k.tensor(x));
    refused(() => k.free(x));
  },
  ...(planted === "a handle" ? { "planted: a handle that is not freed": () => void k.tensor([1]) } : {}),
};
const heap: Float64Array[] = [];
const all: Readonly<Record<string, () => void>> = {
  ...cases,
  ...(planted === "memory"
    ? { "planted: memory that is kept": () => void heap.push(new Float64Array(512).fill(1)) }
    : {}),
};

for (const [kind, cycle] of Object.entries(all)) {
  if (planted && !kind.startsWith("planted")) continue;
  collect();
  const handles = k.handlecount();
  let problem: string | undefined;
  let before = 0;
  // Files take a hundred times as long as other objects.
  const count = /file/.test(kind) ? Math.max(10, cycles / 10) : cycles;
  try {
    for (let i = 0; i < count; i++) {
      cycle();
      if (i === Math.floor(count / 10)) {
        collect();
        before = memory();
      }
      // Finalizers run in a turn of the event loop.
      if (i % 256 === 255) await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    problem = String(error);
  }
  collect();
  const growth = memory() - before;
  say({
    kind,
    cycles: count,
    live: k.handlecount() - handles,
    growth,
    ...(problem ? { problem } : {}),
  } satisfies CreateFreeReport);
}
