import { describe, expect, it } from "vitest";
import { defaultSetup, moveTo, readAddress, type Setup, writeAddress } from "../../apps/playground/src/address.js";
import { defaultOptions } from "../../apps/playground/src/defaults.js";
import { optimizerNames, tableOf } from "../../apps/playground/src/options.js";
import { surfaceNames } from "../../apps/playground/src/surfaces/index.js";

describe("the address", () => {
  it.each(surfaceNames)("of %s as it opens says no more than its name", (surface) => {
    expect(writeAddress(defaultSetup(surface))).toBe(surface === "rosenbrock" ? "" : `surface=${surface}`);
  });

  it("brings back everything that can be set", () => {
    const usual = defaultSetup("beale");
    const options = Object.fromEntries(
      optimizerNames.map((name) => {
        const row = Object.fromEntries(
          tableOf(name).rows.map(({ name: option, kind, initial, words }) => {
            const values = { flag: initial !== true, word: words?.[0] ?? null, integer: 7, number: 0.123 };
            return [option, values[kind]];
          }),
        );
        return [name, tableOf(name).needsClosure ? [row] : [row, { ...defaultOptions("beale", name), lr: 1e-7 }]];
      }),
    ) as unknown as Setup["options"];
    const setup: Setup = {
      ...usual,
      view: "digits",
      start: [0.25, -1.125],
      options,
      hidden: ["adam", "sgd"],
      selected: "lamb",
      speed: 333,
      until: 77,
      digits: { batch: 4000, contenders: ["adamw", "lamb"], rates: { lamb: 0.07 } },
    };
    expect(readAddress(`#${writeAddress(setup)}`)).toEqual(setup);
  });

  it.each([
    "surface=moon",
    "start=a,b",
    "start=1e9,0",
    "start=1",
    "speed=0",
    "until=1.5",
    "selected=lion",
    "adam.beta1=2",
    "adam.beta1=",
    "sgd.nesterov=perhaps",
    "lbfgs.search=armijo",
    "lbfgs.iter=0",
    "split=lbfgs",
    "batch=7",
    "contenders=lbfgs",
    "view=moon",
    "=&&%%%",
  ])("that says %s is as good as none", (text) => {
    expect(readAddress(`#${text}`)).toEqual(defaultSetup("rosenbrock"));
  });
});

describe("another surface", () => {
  it("brings its own start and rates, and keeps the other options", () => {
    const before = defaultSetup("rosenbrock");
    const changed = { ...before.options.adam[0], beta1: 0.5 };
    const after = moveTo({ ...before, options: { ...before.options, adam: [changed] } }, "beale");
    expect(after.start).toEqual(defaultSetup("beale").start);
    expect(after.options.adam).toEqual([{ ...defaultOptions("beale", "adam"), beta1: 0.5 }]);
    expect(after.options.sgd).toEqual([defaultOptions("beale", "sgd")]);
  });
});
