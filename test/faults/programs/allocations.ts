// Calls in which the k-th allocation of libtorch fails, for every k, once and from then on.

import { openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { differenceOf } from "../../random-operations/images.js";
import { configured, say } from "./lines.js";

export interface AllocationsConfig {
  readonly folder: string;
  /** The file that controls failing-allocations.c. */
  readonly control: string;
  /** Only some calls. */
  readonly isQuick: boolean;
  /** A planted bug: a step in two halves, without a way back. */
  readonly planted: boolean;
}

export interface AllocationsReport {
  readonly scenario: string;
  readonly failures: number;
  readonly problems: readonly string[];
}

const { folder, control, isQuick, planted } = configured<AllocationsConfig>();
const file = openSync(control, "r+");
const numbers = new BigInt64Array(5);
const arm = (failAt: number, forever: boolean) => {
  numbers.set([1n, BigInt(failAt), forever ? 1n : 0n, 0n, 0n]);
  writeSync(file, numbers, 0, 40, 0);
};
/** Stops counting, and returns how many allocations have failed. */
function disarm(): number {
  readSync(file, numbers, 0, 40, 0);
  const failed = Number(numbers[4]);
  writeSync(file, new BigInt64Array(5), 0, 40, 0);
  return failed;
}

k.setting("threads", 1);
// Blocks of less than 1 KiB are kept and used again, so that every tensor is larger.
const rows = Array.from({ length: 8 }, (_, i) => Array.from({ length: 64 }, (_, j) => Math.sin(i + j)));
const targets = Array.from({ length: 8 }, (_, i) => Array.from({ length: 48 }, (_, j) => Math.cos(i * j)));
const path = join(folder, "run");
const optimizers = ["adagrad", "adam", "adamw", "lamb", "lbfgs", "rmsprop", "sgd"] as const;

interface World {
  readonly m: k.ModuleHandle;
  readonly o: k.OptimizerHandle;
}

function world(name: k.OptimizerName, fused: boolean): World {
  k.seed(3);
  const m = k.module(k.seq("sequential", ["linear", "a", 64, 48, false], "tanh", ["linear", "b", 48, 48, false]));
  const o = k.opt(name as "adam", m, (fused ? {} : { fused }) as never);
  k.scoped(() => k.backward(k.mse(k.forward(m, rows), targets)));
  return { m, o };
}

interface Learner extends World {
  readonly model: k.ModelHandle;
}

function learner(): Learner {
  const { m, o } = world("sgd", true);
  const loss = k.loss("mse");
  const model = k.model(m, loss, o);
  k.free(loss);
  k.train(model, { batchsize: 4 });
  k.train(model, rows, targets);
  return { m, o, model };
}
const image = ({ m, o }: World) => {
  const gradients = k.parmnames(m).map((name) => k.grad(k.parm(m, name)));
  const { parms, ...state } = k.state(o);
  return JSON.stringify([k.state(m), gradients, state, parms.map(({ pointer, ...row }) => row)]);
};

/** Each call either completes or fails, and a call that fails leaves this much as it was. */
type Kept = "all" | "all but gradients" | "nothing";
const scenarios: Record<string, { make: () => World; call: (world: World) => void; kept?: Kept }> = {};
for (const name of optimizers) {
  for (const fused of name === "lamb" ? [true] : [true, false]) {
    scenarios[`step of ${name}${fused ? "" : " of libtorch"}`] = {
      make: () => world(name, fused),
      // Closures set gradients. A step of libtorch's own optimizers may be made in part.
      kept: fused ? "all but gradients" : "nothing",
      call: ({ m, o }) => {
        k.step(o, () => {
          k.zerograd(o);
          return k.scoped(() => {
            const loss = k.mse(k.forward(m, rows), targets);
            k.backward(loss);
            return k.tensor(loss) as number;
          });
        });
      },
    };
  }
}
const lossOf = (m: k.ModuleHandle) => k.mse(k.forward(m, rows), targets);
/** The gradient of "b.weight" is added before the one of "a.weight" is computed. */
const sumOf = (m: k.ModuleHandle) =>
  k.sum(k.add(k.matmul(k.parm(m, "a.weight"), k.full([64, 48], 1)), k.parm(m, "b.weight")));
const adam = () => world("adam", true);
Object.assign(scenarios, {
  "a step of gradients": { make: adam, call: ({ o }: World) => void k.step(o) },
  "a step of gradients of libtorch": {
    make: () => world("adam", false),
    call: ({ o }: World) => void k.step(o),
    kept: "nothing",
  },
  "a backward": {
    make: adam,
    call: ({ m }: World) => k.scoped(() => k.backward(lossOf(m))),
    kept: "all but gradients",
  },
  "a backward of a sum": {
    make: adam,
    call: ({ m }: World) => k.scoped(() => k.backward(sumOf(m))),
    kept: "all but gradients",
  },
  "an epoch": { make: learner, call: ({ model }: Learner) => void k.run(model), kept: "nothing" },
  "a pass": { make: adam, call: ({ m }: World) => k.scoped(() => void k.forward(m, rows)) },
  load: { make: adam, call: ({ m, o }: World) => void k.load(path, { m, o }) },
  save: { make: adam, call: ({ m, o }: World) => void k.save(`${path}-saved`, { m, o }) },
  "a restored state": { make: adam, call: ({ m, o }: World) => k.free(k.opt(k.state(o), m)) },
  "a copy": { make: adam, call: ({ m }: World) => k.free(k.clone(m)) },
  tensors: { make: adam, call: () => k.scoped(() => void k.matmul(k.full([32, 32], 1), k.full([32, 32], 2))) },
});
// A file whose values differ from the initial ones.
k.scoped(() => {
  const { m, o } = adam();
  k.step(o);
  k.save(path, { m, o });
});
if (planted) {
  scenarios.planted = {
    make: adam,
    call: ({ m }: World) => {
      for (const name of k.parmnames(m)) k.copyto(k.full(k.size(k.parm(m, name)), 7), k.parm(m, name));
    },
  };
}

const codeOf = (call: () => void): string | undefined => {
  try {
    call();
    return undefined;
  } catch (error) {
    return error instanceof k.StepwellError ? error.code : String(error);
  }
};

for (const [scenario, { make, call, kept = "all" }] of Object.entries(scenarios)) {
  if (planted ? scenario !== "planted" : isQuick && /^step of (?!adam$|lbfgs$)/.test(scenario)) continue;
  const problems: string[] = [];
  let failures = 0;
  const first = make();
  call(first);
  const wanted = image(first);
  k.free();
  for (const forever of [false, true]) {
    for (let at = 1; at < 2000; at++) {
      const made = make();
      const before = image(made);
      const handles = k.handlecount();
      arm(at, forever);
      const code = codeOf(() => call(made));
      const failed = disarm();
      failures += failed;
      const where = `allocation ${at}${forever ? " and all later ones" : ""}`;
      if (failed > 0 && code !== undefined && code !== "ERR_MEMORY") problems.push(`${where}: ${code}`);
      // A call without memory also frees forgotten objects.
      if (k.handlecount() > handles) problems.push(`${where}: ${k.handlecount() - handles} objects are left`);
      const after = image(made);
      // A closure sets gradients, and the evaluation of the loss that failed is the caller's.
      const isPart = code !== undefined && kept === "all but gradients";
      const parts = (text: string) => (isPart ? JSON.stringify(JSON.parse(text).toSpliced(1, 1)) : text);
      const [given, expected] = [after, code === undefined ? wanted : before].map(parts) as [string, string];
      if ((code === undefined || kept !== "nothing") && given !== expected)
        problems.push(`${where}: ${code ?? "success"}, and other values: ${differenceOf(expected, given)}`);
      if (code !== undefined) {
        const again = codeOf(() => call(made));
        if (again !== undefined) problems.push(`${where}: the next call fails: ${again}`);
        else if (kept === "all" && image(made) !== wanted)
          problems.push(`${where}: the next call gives another result`);
      }
      k.free();
      if (failed === 0 || problems.length > 5) break;
    }
  }
  say({ scenario, failures, problems } satisfies AllocationsReport);
}
