import * as k from "@stepwell/sdk";
import { differences } from "../../engine-differences.js";
import { InvariantViolation } from "../invariants.js";
import { isForSequence } from "../spoil.js";
import type { World } from "../world.js";
import type { Operations } from "./operation.js";

const sizes: Readonly<Record<string, number>> = { float: 4, double: 8, half: 2, bfloat16: 2, long: 8, bool: 1 };

/** Calls on a handle of any kind, which a freed one refuses. */
const calls = ["size", "bytes", "elements", "tensorcount", "classof", "free", "data", "step", "state"] as const;

function codeOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    if (isForSequence(error)) throw error;
    return (error as { code?: unknown }).code;
  }
}

/** Whether a code refuses to free a handle that was freed; a closure may not free what its step works on. */
const refusesFreed = (world: World, code: unknown) =>
  code === "ERR_HANDLE_FREED" || (code === "ERR_ARGUMENT" && world.depth > 0);

/** Codes that refuse a freed handle: some calls look at its kind first. */
const refusals: readonly unknown[] = ["ERR_HANDLE_FREED", "ERR_HANDLE_KIND"];

function count(world: World, name: string, handle: k.AnyHandle): number {
  const found = world.call<number>(name, handle);
  if (Number.isSafeInteger(found) && found >= 0) return found;
  throw new InvariantViolation(name, "a count that is none", String(found));
}

export const objectOperations: Operations = {
  properties: (world) => {
    const [x, y] = [world.any("tensor"), world.any("tensor")];
    if (!x || !y) return;
    for (const name of ["dim", "itemsize", "info", "leaf"]) world.call(name, x.handle);
    const isSame = world.call<boolean>("same", x.handle, y.handle);
    if (x.handle === y.handle && !isSame) throw new InvariantViolation("same", "a tensor that is not itself", "");
  },
  measure: (world) => {
    const entry = world.random.pick([...world.shadow.live, undefined]);
    if (!entry) return;
    const { handle, kind } = entry;
    const size = world.call<unknown>("size", handle);
    const [tensors, elements, bytes] = ["tensorcount", "elements", "bytes"].map((name) =>
      count(world, name, handle),
    ) as [number, number, number];
    if (kind === "tensor") {
      const wanted = (size as number[]).reduce((a, b) => a * b, 1);
      const width = sizes[world.call<string>("objtype", handle)] ?? 0;
      if (tensors === 1 && elements === wanted && bytes === wanted * width) return;
      throw new InvariantViolation("bytes", "counts that disagree", `${size}: ${tensors} ${elements} ${bytes}`);
    }
    if (elements > bytes || bytes > elements * 8) {
      throw new InvariantViolation("bytes", "counts that disagree", `${elements} elements in ${bytes} bytes`);
    }
  },
  kind: (world) => {
    const entry = world.any("optimizer", "module", "loss", "tensor");
    if (!entry) return;
    world.call("objtype", entry.handle);
    world.call("class", entry.handle);
    world.call("classof", entry.handle);
    if (entry.kind === "tensor") for (const name of ["dtype", "device"]) world.call(name, entry.handle);
  },
  free: (world) => {
    const { random, shadow } = world;
    const entries = new Set(random.list(1 + random.int(4), () => random.pick([...shadow.live, undefined])));
    const handles = [...entries].flatMap((entry) => (entry ? [entry.handle] : []));
    if (handles.length > 0) world.call("free", ...handles);
  },
  "free all": (world) => {
    if (world.random.chance(0.1)) world.free();
  },
  reset: (world) => {
    if (world.random.chance(0.05)) world.call("reset");
  },
  stale: (world) => {
    if (world.shadow.freed.length === 0) return;
    const { handle, kind } = world.random.pick(world.shadow.freed);
    const name = world.random.pick(calls);
    const code = codeOf(() => world.call(name, handle));
    if (!refusals.includes(code)) throw new InvariantViolation(name, "a freed handle that works", `${kind}: ${code}`);
  },
  "free a freed one": (world) => {
    const { random, shadow } = world;
    if (shadow.freed.length === 0 || shadow.count === 0) return;
    const handles = [random.pick(shadow.live).handle, random.pick(shadow.freed).handle];
    const code = codeOf(() => world.call("free", ...(random.chance(0.5) ? handles : handles.reverse())));
    if (!refusesFreed(world, code))
      throw new InvariantViolation("free", "a freed handle that is freed again", String(code));
  },
  "free one twice": (world) => {
    const entry = world.random.pick([...world.shadow.live, undefined]);
    if (!entry) return;
    const code = codeOf(() => world.call("free", entry.handle, entry.handle));
    if (!refusesFreed(world, code)) throw new InvariantViolation("free", "a handle that is freed twice", String(code));
  },
  "random numbers": (world) => {
    const { random } = world;
    const n = random.int(6);
    world.call("seed", random.int(100));
    world.call("generator", world.call<k.GeneratorState>("generator"));
    const numbers = [...world.call<Float64Array>("randperm", n)].sort((a, b) => a - b);
    if (numbers.some((x, i) => x !== i) || numbers.length !== n)
      throw new InvariantViolation("randperm", "no permutation", "");
  },
  devices: (world) => {
    const device = world.random.pick<k.Device>(["cpu", ...k.cudadevices([])]);
    const { allocated } = world.call<k.MemoryUse>("memory", device);
    if (!(allocated >= 0)) throw new InvariantViolation("memory", "no number of bytes", String(allocated));
    world.call(world.random.pick(["sync", "synchronize"]), device);
    const { devices } = world.call<k.CudaStatus>("cudaStatus");
    if (world.call<number>("cudadevices") !== devices.length)
      throw new InvariantViolation("cudaStatus", "another number of devices", String(devices.length));
  },
  settings: (world) => {
    const { random } = world;
    if (random.chance(0.5)) {
      world.call("setting", "alloptions", random.chance(0.7));
      world.call("setting", "alloptions");
    } else {
      world.call("setting", "threads", random.pick(differences.threads));
    }
  },
  help: (world) => {
    const { random } = world;
    world.call(
      "help",
      ...random.pick([[], ["module"], ["schedule"], ["preset"], ["adam"], ["sgd", true], ["nothing"]]),
    );
  },
  seq: (world) => {
    world.call("seq", "sequential", "relu");
    world.call("handlecount");
  },
};
