import { deserialize, serialize } from "node:v8";
import { free, help, module, type OptimizerHandle, type OptimizerName, opt, presets, seq, state } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { optimizers } from "./optimizers.js";

const seed = "lr beta1 beta2 eps decay unbiased globalnorm trustclip trustmin trustmax".split(" ");
const extensions = "max_grad_norm grad_averaging l2 use_nvlamb maximize average moments".split(" ");

afterEach(() => free());

describe.each(optimizers)("%s has options that the k-api does not know", (name: OptimizerName) => {
  it("which help lists on demand", () => {
    const known = Object.keys(help(name));
    expect(known).not.toContain("maximize");
    expect(Object.keys(help(name, true)).slice(0, known.length)).toEqual(known);
    expect(help(name, true)).toMatchObject({ ...help(name), maximize: false });
  });

  it("or where a group has changed them", () => {
    const o = opt(name);
    const columns = () => Object.keys(opt(o, true).options[0] ?? {});
    expect(columns()).toEqual(Object.keys(help(name)));
    opt(o, 0, [], { maximize: true });
    expect(columns()).toEqual([...Object.keys(help(name)), "maximize"]);
    expect(opt(o, false).options).toEqual([{ lr: help(name).lr, maximize: true }]);
    opt(o, 0, [], { maximize: false });
    expect(columns()).toEqual(Object.keys(help(name)));
  });
});

describe("lamb", () => {
  it("has the seed's options, and the options of apex", () => {
    expect(Object.keys(help("lamb"))).toEqual(seed);
    expect(Object.keys(help("lamb", true))).toEqual([...seed, ...extensions]);
  });

  it("has presets, as help and as values", () => {
    const rows = help("preset");
    expect(Object.fromEntries(rows.map(({ preset, options }) => [preset, options]))).toEqual(presets);
    for (const { preset, optimizer, about, source } of rows) {
      expect(about).not.toBe("");
      expect(source).toMatch(/https:/);
      const all = { ...help(optimizer, true), ...presets[preset] };
      const o = opt("lamb", presets[preset]);
      expect(all).toMatchObject(opt(o).options[0] ?? {});
    }
    const o = opt("lamb", presets.apex);
    opt(o, 0, [], presets.nvlamb);
    expect(opt(o).options).toEqual([help("lamb")]);
  });

  it("comes back from its state with them", () => {
    const fc = module(seq("sequential", ["linear", "fc", 3, 2]));
    const o = opt("lamb", fc, { ...presets.apex, lr: 0.1 });
    const saved = deserialize(serialize(state(o)));
    expect(saved.options).toMatchObject([{ lr: 0.1, max_grad_norm: 1, use_nvlamb: false }]);
    expect(opt(opt(saved, fc)).options).toEqual(opt(o).options);
  });

  it("gives them no position", () => {
    const untyped = opt as (...options: unknown[]) => OptimizerHandle;
    const row = [0.1, 0.9, 0.99, 1e-8, 0, true, true, true, 0, 1];
    expect(opt(untyped("lamb", 0, [], ...row)).options).toHaveLength(1);
    const tooMany = /expected up to 10 positional options \(lr, .*trustmax\), given 11/;
    expect(() => untyped("lamb", 0, [], ...row, 1)).toThrow(tooMany);
  });
});
