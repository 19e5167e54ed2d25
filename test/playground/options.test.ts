import { help, type OptionRow } from "@stepwell/sdk";
import { describe, expect, it } from "vitest";
import { neighbour, optimizerNames, range, readOption, tableOf } from "../../apps/playground/src/options.js";

describe("the option tables of the page", () => {
  it("are those of the engine: names, order and defaults", () => {
    expect([...optimizerNames]).toEqual(help("optimizer").map(({ optimizer }) => optimizer));
    for (const { optimizer, about } of help("optimizer")) {
      const table = tableOf(optimizer);
      expect(table.about).toBe(about);
      const defaults: OptionRow = Object.fromEntries(table.rows.map(({ name, initial }) => [name, initial]));
      expect(defaults).toEqual(help(optimizer, true));
      expect(Object.keys(defaults)).toEqual(Object.keys(help(optimizer, true)));
      const positional = table.rows.filter(({ extension }) => !extension).map(({ name }) => name);
      expect(positional).toEqual(Object.keys(help(optimizer)));
    }
  });

  it.each(optimizerNames)("of %s take their own defaults as text", (optimizer) => {
    for (const specification of tableOf(optimizer).rows) {
      expect(readOption(specification, String(specification.initial))).toBe(specification.initial);
      if (specification.limit) expect(range(specification)).toContain(String(specification.limit.low));
    }
  });
});

describe("the value beside", () => {
  const of = (optimizer: "adam" | "lbfgs", name: string) => {
    const found = tableOf(optimizer).rows.find((row) => row.name === name);
    if (!found) throw new Error(name);
    return found;
  };
  it.each([
    ["lr", 0.001, 1, 0.0015],
    ["lr", 0.001, -1, 0.0007],
    ["lr", 0.0123, 1, 0.015],
    ["lr", 7, 1, 10],
    ["lr", 0, 1, 1e-6],
    ["lr", 0, -1, 0],
    ["beta1", 0.9, 1, 0.93],
    ["beta1", 0.9, -1, 0.85],
    ["beta2", 0.999, 1, 0.9993],
    ["beta1", 0, -1, 0],
    ["beta1", 0.1, 1, 0.15],
  ] as const)("%s %f in direction %i is %f", (name, value, direction, next) => {
    expect(neighbour(of("adam", name), value, direction)).toBe(next);
  });

  it("of a whole number is the next one, within its range", () => {
    expect(neighbour(of("lbfgs", "iter"), 1, 1)).toBe(2);
    expect(neighbour(of("lbfgs", "iter"), 1, -1)).toBeUndefined();
    expect(neighbour(of("lbfgs", "eval"), null, 1)).toBeUndefined();
  });
});
