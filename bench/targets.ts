// The performance targets of Stepwell, and the check of results against them.

import { fusedInPyTorch, optimizers } from "./optimizers.js";
import type { Result, Row } from "./results.js";

export interface Target {
  readonly name: string;
  readonly threads: number;
  readonly wanted: string;
  /** Not measured where there is nothing. */
  readonly measured?: number;
  readonly passed: boolean;
}

type Look = (id: string, label: string) => Row | undefined;
type Promised = { readonly name: string; readonly threads: number; readonly measured: number | undefined };

export function targets(results: readonly Result[]): Target[] {
  const look: Look = (id, label) => results.find((result) => result.id === id)?.rows.find((row) => row.label === label);
  const rows = [1, 2].flatMap((threads) => [
    ...optimizers.flatMap(({ name }) => [...streams(look, name, threads)]),
    ...fusedInPyTorch.flatMap((name) => [...rivals(look, name, threads)]),
    ...lamb(look, threads),
    ...spacing(results, threads),
  ]);
  return [
    ...[...rows, ...calls(look), ...imports(look), ...conversions(results)],
    ...[
      ...trainings(results),
      ...webAssembly(look),
      ...operations(look),
      ...characterModels(look),
      ...withoutLibtorch(look),
    ],
  ];
}

function atLeast(limit: number, promised: Promised): Target {
  return judged(promised, `>= ${limit}`, (measured) => measured >= limit);
}

function atMost(limit: number, promised: Promised): Target {
  return judged(promised, `<= ${Number(limit.toFixed(2))}`, (measured) => measured <= limit);
}

function judged({ name, threads, measured }: Promised, wanted: string, holds: (measured: number) => boolean): Target {
  if (measured === undefined) return { name, threads, wanted, passed: false };
  return { name, threads, wanted, measured, passed: holds(measured) };
}

function* streams(look: Look, optimizer: string, threads: number): Generator<Target> {
  const measured = look(`large/1x64M ${optimizer}/${threads}`, "Stepwell")?.share?.median;
  yield atLeast(0.9, { name: `${optimizer} on 1x64M: share of the memory stream`, threads, measured });
}

function* rivals(look: Look, optimizer: string, threads: number): Generator<Target> {
  const ratio = (id: string) => look(`${id} ${optimizer}/${threads}`, "PyTorch fused")?.ratio?.median;
  yield atLeast(1, {
    name: `${optimizer} on 1x64M: PyTorch fused / Stepwell`,
    threads,
    measured: ratio("large/1x64M"),
  });
  yield atLeast(20, {
    name: `${optimizer} on 1000x16: PyTorch fused / Stepwell`,
    threads,
    measured: ratio("step/1000x16"),
  });
}

function* lamb(look: Look, threads: number): Generator<Target> {
  const id = `lamb/BERT-base/${threads}`;
  const adam = look(id, "Stepwell Adam")?.ratio?.median;
  const operations = look(id, "LAMB in PyTorch's operations")?.ratio?.median;
  yield atMost(1.25, { name: "LAMB / Adam on BERT-base", threads, measured: adam && 1 / adam });
  yield atLeast(5, { name: "LAMB in PyTorch's operations / LAMB on BERT-base", threads, measured: operations });
  if (threads > 1) return;
  const byHand = look(id, "LAMB by hand")?.ratio?.median;
  yield atLeast(0.9, { name: "LAMB by hand / LAMB on BERT-base", threads, measured: byHand });
}

function* spacing(results: readonly Result[], threads: number): Generator<Target> {
  const rows = results.find(({ id }) => id === `spacing/adam/${threads}`)?.rows ?? [];
  const least = rows[0]?.parameters ?? Number.NaN;
  // Of times taken in one round: memory may be half as fast in the next.
  const times = rows.map(({ ratio, parameters }) => ((ratio?.median ?? 1) * least) / (parameters ?? Number.NaN));
  const spread = rows.length > 0 ? Math.max(...times) / Math.min(...times) : undefined;
  yield atMost(1.1, { name: "slowest / fastest size, time for each parameter", threads, measured: spread });
  const faults = rows.length > 0 ? Math.max(...rows.map((row) => row.faults?.median ?? Number.NaN)) : undefined;
  // Not 0: Node itself touches a fresh page now and then.
  yield atMost(0.5, { name: "page faults of a step", threads, measured: faults });
}

function* calls(look: Look): Generator<Target> {
  const row = (label: string) => look("call/1000x16 adam/1", label);
  const inRust = row("Stepwell in Rust")?.microseconds?.median;
  yield atMost(20, { name: "Adam on 1000x16 in Rust, µs", threads: 1, measured: inRust });
  const added = row("Stepwell")?.difference?.median;
  yield atMost(10, { name: "what the call from JavaScript adds to it, µs", threads: 1, measured: added });
}

/** From the shortest times, which other programs on the machine disturb least. */
function* imports(look: Look): Generator<Target> {
  const [alone, sdk] = ["libtorch_cpu alone", "import of Stepwell"].map(
    (label) => look("import/native/1", label)?.milliseconds?.min,
  );
  const measured = alone && sdk && sdk / alone;
  yield atMost(1.2, { name: "import of Stepwell / libtorch_cpu alone", threads: 1, measured });
}

/** A conversion takes at most twice the time of a plain double loop. */
function* conversions(results: readonly Result[]): Generator<Target> {
  const ids = ["2000x784", "100000x16"].flatMap((shape) =>
    ["a tensor", "nested arrays"].map((to) => `arrays/${shape} to ${to}/1`),
  );
  for (const id of ids) {
    const rows = results.find((result) => result.id === id)?.rows ?? [];
    for (const label of ["Stepwell", "Stepwell wasm"]) {
      const measured = rows.find((row) => row.label === label)?.ratio?.median;
      yield atMost(2, { name: `${id.split("/")[1]}: ${label} / plain loop`, threads: 1, measured });
    }
  }
}

function* trainings(results: readonly Result[]): Generator<Target> {
  for (const { id, rows } of results) {
    if (!id.startsWith("training/") || rows.length < 2) continue;
    const [, name = "", threads] = id.split("/");
    const ratios = rows.flatMap(({ label, ratio }) => (/js|JS/.test(label) && ratio ? [ratio.median] : []));
    if (ratios.length === 0) continue;
    yield atLeast(1, {
      name: `${name}: fastest of JavaScript / Stepwell`,
      threads: Number(threads),
      measured: Math.min(...ratios),
    });
  }
}

function* webAssembly(look: Look): Generator<Target> {
  const promised = [
    ["784-256-10, batch 256", "jax-js wasm", 1],
    ["784-256-10, batch 256", "tfjs wasm", 4],
    ["8x512x512 adam", "jax-js wasm", 1.5],
    ["8x512x512 adam", "tfjs wasm", 1.5],
  ] as const;
  for (const [name, peer, limit] of promised) {
    const measured = look(`wasm/${name}/1`, peer)?.ratio?.median;
    yield atLeast(limit, { name: `${name}: ${peer} / Stepwell wasm`, threads: 1, measured });
  }
}

/** The limit of decision 0033: the engine in Rust alone has six tenths of the speed of libtorch. */
function* withoutLibtorch(look: Look): Generator<Target> {
  const cases = [
    ["784-256-10, batch 256", "training/784-256-10, batch 256"],
    ["transformer, batch 16", "gpt/native, batch 16"],
  ] as const;
  for (const [name, id] of cases) {
    for (const threads of [1, 2]) {
      const measured = look(`${id}/${threads}`, "Stepwell rust")?.ratio?.median;
      yield atMost(1 / 0.6, { name: `${name}: Stepwell rust / Stepwell`, threads, measured });
    }
  }
}

function* operations(look: Look): Generator<Target> {
  for (const recorded of ["", ", recorded"]) {
    const measured = look(`operations/200 of 16 elements${recorded}/1`, "PyTorch eager")?.ratio?.median;
    yield atLeast(1, {
      name: `200 operations on 16 elements${recorded}: PyTorch eager / Stepwell`,
      threads: 1,
      measured,
    });
  }
}

function* characterModels(look: Look): Generator<Target> {
  for (const threads of [1, 2]) {
    const measured = look(`gpt/native, batch 16/${threads}`, "PyTorch eager")?.ratio?.median;
    yield atLeast(0.95, { name: "transformer, batch 16: PyTorch eager / Stepwell", threads, measured });
  }
  for (const [peer, limit] of [
    ["jax-js wasm", 1.5],
    ["tfjs wasm", 4],
  ] as const) {
    const measured = look("gpt/wasm, batch 8/1", peer)?.ratio?.median;
    yield atLeast(limit, { name: `transformer, batch 8: ${peer} / Stepwell wasm`, threads: 1, measured });
  }
}
