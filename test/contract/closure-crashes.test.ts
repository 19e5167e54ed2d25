// Closures that would end the engine or the process without a check.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { engine } from "@stepwell/sdk";
import { describe, expect, it } from "vitest";
import { binding } from "../engine-differences.js";
import { thrown, thrownBy } from "./thrown-values.js";

describe("without the SDK around it", () => {
  const engineOf = binding as unknown as { stepWithClosure(o: bigint, closure: unknown, options?: unknown): number };
  const made = () => {
    const x = binding.call("tensor", [[1], "grad"]);
    return { x, o: binding.call("opt", ["sgd", x]) as bigint };
  };

  it.each(Object.entries(thrown))("the engine outlives a closure that throws %s", (_, make) => {
    const { x, o } = made();
    const value = make();
    const throws = () => {
      throw value;
    };
    expect(thrownBy(() => engineOf.stepWithClosure(o, throws))).toMatchObject({ code: "ERR_MEMORY" });
    expect(binding.call("tensor", [x])).toMatchObject({ data: new Float32Array([1]) });
    binding.call("grad", [x, [1]]);
    expect(engineOf.stepWithClosure(o, () => 2)).toBe(2);
  });

  it("takes numbers, and anything else as a failure", () => {
    const { o } = made();
    for (const value of [undefined, null, "1", 1n, true, {}, [], Symbol("x")]) {
      expect(thrownBy(() => engineOf.stepWithClosure(o, () => value))).toMatchObject({ code: "ERR_MEMORY" });
    }
    expect(engineOf.stepWithClosure(o, () => 1)).toBe(1);
  });
});

describe("a process outlives", () => {
  const sdk = JSON.stringify(new URL(import.meta.resolve("@stepwell/sdk")).href);
  /** A step of `o` with `closure`, and the output of the program. Each would end a process without a check. */
  const scenes: { readonly [what: string]: readonly [program: string, printed: string] } = {
    "a step that is made in its own closure without end": [
      `let depth = 0;
      const again = () => { depth += 1; return k.step(o, again); };
      try { k.step(o, again); } catch (error) { print(error.code, depth); }`,
      "ERR_ARGUMENT 1",
    ],
    "steps of ever more optimizers in each other's closures": [
      `let depth = 0;
      const deeper = () => {
        depth += 1;
        const y = k.tensor([1], "grad"), other = k.opt("sgd", y);
        try { return k.step(other, deeper); } finally { k.free(other, y); }
      };
      try { k.step(o, deeper); } catch (error) { print(error.code, depth); }`,
      "ERR_ARGUMENT 16",
    ],
    "a closure that exhausts the stack": [
      `const forever = () => forever() + 1;
      for (let i = 0; i < 3; i++) try { k.step(o, forever); } catch (error) { print(error.name); }`,
      "RangeError RangeError RangeError",
    ],
    "steps from ever deeper in the stack": [
      `let made = 0;
      const caught = [];
      const makes = () => { k.grad(x, [0]); return 0; };
      const deeper = (left) => {
        if (left > 0) return deeper(left - 1);
        // To look at an error takes stack, too.
        try { k.step(o, makes); made += 1; } catch (error) { caught[caught.length] = error; }
      };
      let depth = 100;
      for (; depth < 1e6; depth = Math.ceil(depth * 1.003)) {
        try { deeper(depth); } catch (error) { if (error instanceof RangeError) break; throw error; }
      }
      for (let less = 0; less < 400; less++) try { deeper(depth - less); } catch {}
      print(made > 100, caught.find((error) => !/stack/.test(error.message)));`,
      "true undefined",
    ],
    "errors that are their own causes, and long chains of them": [
      `const error = new Error("x");
      error.cause = error;
      let chain = new Error("0");
      for (let i = 0; i < 1e5; i++) chain = new Error("x", { cause: chain });
      const object = { toString() { throw object; } };
      for (const value of [error, chain, object]) {
        try { k.step(o, () => { throw value; }); } catch (thrown) { print(thrown === value); }
      }`,
      "true true true",
    ],
    "an async closure whose promise is rejected": [
      `const later = async () => { await null; throw new Error("later"); };
      try { k.step(o, later); } catch (error) { print(error.code); }
      await new Promise((resolve) => setTimeout(resolve, 10));`,
      "ERR_ARGUMENT",
    ],
  };
  const program = (body: string) => `import * as k from ${sdk};
    for (const name of ["sgd", "lbfgs"]) {
      const x = k.tensor([1], "grad", "double");
      const o = k.opt(name, x);
      const closure = () => { k.grad(x, [1]); return 1; };
      ${body}
      k.free();
    }`;
  const run = (source: string) =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", source], {
      env: { ...process.env, STEPWELL_ENGINE: engine },
    });
  let printed: Promise<string> | undefined;
  /** One process makes as many as it can, since a process is slow to start. */
  const linesOf = () => {
    const bodies = Object.entries(scenes).map(
      ([what, [body]]) => `{
        const printed = [];
        const print = (...words) => printed.push(...words);
        ${body}
        const before = k.tensor(x)[0];
        k.step(o, closure);
        console.log(name, ${JSON.stringify(what)}, ...printed, k.tensor(x)[0] < before, k.handlecount());
      }`,
    );
    // It is rejected if the process ended by a signal or with a code.
    printed ??= run(program(bodies.join("\n"))).then(({ stdout }) => stdout);
    return printed.then((text) => text.trim().split("\n"));
  };

  it.each(Object.entries(scenes))("%s", async (what, [, expected]) => {
    const lines = (await linesOf()).filter((line) => line.includes(what));
    expect(lines).toEqual(["sgd", "lbfgs"].map((name) => `${name} ${what} ${expected} true 2`));
  });

  it("nothing that ends it on purpose", async () => {
    await expect(run(program("k.step(o, () => process.exit(3));"))).rejects.toMatchObject({ code: 3, signal: null });
  });
});
