import { help, type OptionRow } from "@stepwell/sdk";
import { describe, expect, it } from "vitest";
import { optimizerNames, range, readOption, tableOf } from "../../apps/playground/src/options.js";

describe("the option tables of the page", () => {
  it("are those of the engine: names, order and defaults", () => {
    expect([...optimizerNames]).toEqual(help("optimizer").map(({ optimizer }) => optimizer));
    for (const { optimizer, about } of help("optimizer")) {
      const table = tableOf(optimizer);
      expect(table.about).toBe(about);
      const defaults: OptionRow = Object.fromEntries(table.rows.map(({ name, initial }) => [name, initial]));
      expect(defaults).toEqual(help(optimizer, true));
      expect(Object.keys(defaults)).toEqual(Object.keys(help(optimizer, true)));
      const positional = table.rows.filter(({ further }) => !further).map(({ name }) => name);
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
