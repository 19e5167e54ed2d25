// Every function with an object that an asynchronous call has: an error at once, and nothing has changed.

import { rmSync } from "node:fs";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { folderFunctions } from "../folder-functions.js";
import { groupFunctions } from "../promises.js";
import { rows } from "./closure-rows.js";
import { elementsOf, folder, type Scene, scene, start } from "./closure-scene.js";
import { lease, leasedHandles } from "./leased-objects.js";

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => k.reset());

type Call = (...args: readonly unknown[]) => unknown;

const functions = Object.entries(k).filter(
  (entry): entry is [string, Call] => typeof entry[1] === "function" && /^[a-z]/.test(entry[0]),
);

/** Functions that end a handle, or pass one on without a look at its object, and the end of all. */
const passing = [
  "free",
  "keep",
  "reset",
  "seq",
  "return",
  "optimizer",
  "scope",
  "scoped",
  "ready",
  "leaks",
  "leakcheck",
];

/** Functions that take no handle, or none among these arguments. WebAssembly looks at handles before anything else. */
const withoutHandles = [
  "initProcessGroup",
  ...folderFunctions,
  ...["callback", "cudaStatus", "cudadevices", "deserialize", "gain", "generator", "gradient"],
  ...["handlecount", "help", "inspect", "memory", "randperm", "seed", "setting", "sync", "synchronize"],
  ...["arange", "bartlett", "blackman", "eye", "fftfreq", "full", "hamming", "hann", "kaiser", "linspace", "logspace"],
  ...["ones", "rand", "randint", "randn", "rfftfreq", "zeros"],
];

/** The code of a call that fails, at once or by its promise. */
async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
    return "success";
  } catch (error) {
    return error instanceof k.StepwellError ? error.code : String(error);
  }
}

/** The state of another module, and the objects that live. */
const world = (other: k.AnyModule) => JSON.stringify([k.handlecount(), k.leaks().map(({ id }) => id), k.state(other)]);

describe("a leased object", () => {
  it("is an error of every function, as the first argument and as the second one", async () => {
    const other = k.module(["linear", 2, 1]);
    const x = k.tensor([[1, 2]]);
    const { byKind, end } = leasedHandles();
    const before = world(other);
    const busy = new Set<string>();
    const wrong: string[] = [];
    for (const [name, call] of functions) {
      if (passing.includes(name)) continue;
      for (const [kind, handle] of byKind) {
        for (const args of [
          [handle],
          [handle, x],
          [other, handle],
          [x, handle],
          [x, x, handle],
          [handle, "none"],
          [handle, 0.5],
          [{ a: handle }],
        ]) {
          const code = await codeOf(() => call(...args));
          if (code === "ERR_BUSY") busy.add(name);
          else if (!code.startsWith("ERR_")) wrong.push(`${name} of ${kind}: ${code}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    const others = functions.map(([name]) => name).filter((name) => !busy.has(name) && !passing.includes(name));
    const unsupported = differences.hasThread ? [] : groupFunctions;
    expect(others.filter((name) => !withoutHandles.includes(name))).toEqual(
      unsupported.filter((name) => !withoutHandles.includes(name)).sort(),
    );
    expect(world(other)).toBe(before);
    await end();
    for (const handle of byKind.values()) k.class(handle);
    expect(k.tensor(k.evaluate(other, x))).toBeDefined();
  });

  const shared: readonly string[] = ["m", "x", "o", "model", "rival", "rivals"] satisfies readonly (keyof Scene)[];

  it.each(rows.filter(({ name }) => !passing.includes(name)))("$name: $what", async (row) => {
    const at = scene("sgd", true);
    k.lr(at.o, 0);
    k.zerograd(at.o);
    const end = lease(at.model, 2, "double");
    let isShared = false;
    const watched = new Proxy(at, {
      get(target, key) {
        isShared ||= shared.includes(String(key));
        return Reflect.get(target, key);
      },
    });
    const before = elementsOf(at.y);
    const code = await codeOf(() => row.act(watched));
    const after = elementsOf(at.y);
    await end();
    expect(elementsOf(at.x)).toEqual(start);
    if (isShared) expect([code, after]).toEqual(["ERR_BUSY", before]);
  });
});
