// `optimizer.fromJSON` takes data from any source. It matches regular expressions in linear time, with the results of `RegExp`,
// and any wrong value is a typed error.

import * as k from "@stepwell/sdk";
import fc from "fast-check";
import { afterEach, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const json = (regexp: unknown, flags: unknown = "") =>
  ({ ...k.optimizer("adamw").toJSON(), noDecay: [{ regexp, flags }] }) as never;

/** The names of parameters that an expression selects. */
function selected(names: readonly string[], regexp: string, flags: string): readonly string[] {
  const parameters = k.dict(Object.fromEntries(names.map((name) => [name, 1])));
  k.gradflag(parameters, true);
  const builder = k.optimizer.fromJSON(json(regexp, flags));
  let o: k.Optimizer;
  try {
    o = builder.build(parameters);
  } catch (error) {
    // An expression that selects no parameter is an error, which gives the expression.
    if ((error as k.StepwellError).code !== "ERR_PARAMETER") throw error;
    expect((error as k.StepwellError).message).toMatch(/no parameter has a name that .* selects$/s);
    k.free();
    return [];
  }
  const groups = o.definition().options.map((row) => row.decay);
  const rows = o.definition().parms.filter((row) => groups[row.parmgroup] === 0);
  k.free();
  return rows.map((row) => row.name).sort();
}

const expected = (names: readonly string[], regexp: string, flags: string) =>
  names.filter((name) => name.search(new RegExp(regexp, flags)) >= 0).sort();

const names = [
  ...[
    "a",
    "b",
    "ab",
    "aab",
    "abc",
    "ba",
    "A",
    "aB",
    "a-b",
    "a b",
    "a_1",
    "1",
    "12",
    "123",
    "norm1",
    "batchnorm",
    "x\ny",
    "é",
  ],
  ...["weight", "bias", "layer_10_bias", "bias_layer", "ſ", "K", "😀", "a😀b", "^", "$", "(", "]", "{2}", "\\", "/"],
];

it.each([
  ["bias$", ""],
  ["^(?:.*_)?bias$", ""],
  ["norm\\d*|^bias", ""],
  ["^layer_(\\d+)_(?<kind>bias|weight)$", ""],
  ["^[^a-c]+$", ""],
  ["^[\\w-]{2,4}$", ""],
  ["\\bb\\b|\\Ba\\B", ""],
  ["^a+?b??c*?$", ""],
  ["^(a|ab)(c|bcd)?$", ""],
  ["^(a*)*$", ""],
  ["^(?:|a){3}b", ""],
  ["(?:a{0}|b{2}){1,2}", ""],
  ["^AB$", "i"],
  ["^[A-Z]\\w?$", "iu"],
  ["^.$", ""],
  ["^.$", "u"],
  ["^.{3}$", "s"],
  ["^y$", "m"],
  ["^\\u{1F600}$|\\u00e9", "u"],
  ["\\ud83d\\ude00", "u"],
  ["\\ud83d", "u"],
  ["\\ud83d", ""],
  ["\\p{L}\\P{L}", "u"],
  ["\\x61\\cJ?[\\x62]|[\\]]|\\{2\\}|\\\\|\\/", ""],
  ["[]|[^]{30}", ""],
  ["", "g"],
  ["^(((((a)))))$", "d"],
])("/%s/%s selects what RegExp selects", (regexp, flags) => {
  expect(selected(names, regexp, flags)).toEqual(expected(names, regexp, flags));
});

it("any expression selects what RegExp selects", () => {
  const { part } = fc.letrec<{ part: string }>((tie) => ({
    part: fc.oneof(
      { maxDepth: 4, depthSize: "medium" },
      { weight: 6, arbitrary: fc.constantFrom("a", "b", "c", "A", "_", "1", "\\.", ".", "\\d", "\\w", "\\W", "\\s") },
      fc.constantFrom("[ab]", "[^a]", "[a-z_]", "[\\d]", "^", "$", "\\b", "\\B", "\\u0061", "\\x62", "😀"),
      fc.tuple(tie("part"), tie("part")).map((both) => both.join("")),
      fc.tuple(tie("part"), tie("part")).map((both) => `(?:${both.join("|")})`),
      fc
        .tuple(tie("part"), fc.constantFrom("*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?", "??"))
        .map(([inner, quantifier]) => `(${inner})${quantifier}`),
    ),
  }));
  const name = fc.string({
    unit: fc.constantFrom("a", "b", "c", "A", "_", "1", " ", "\n", "😀"),
    minLength: 1,
    maxLength: 8,
  });
  const flags = fc.constantFrom("", "i", "u", "iu", "s", "m", "gms");
  fc.assert(
    fc.property(part, flags, fc.uniqueArray(name, { minLength: 1, maxLength: 40 }), (regexp, flag, some) => {
      // V8 looks for an empty match between the two halves of a character, against ECMA-262.
      fc.pre(!(flag.includes("u") && regexp.includes("\\B")));
      expect(selected(some, regexp, flag)).toEqual(expected(some, regexp, flag));
    }),
    { numRuns: 400 },
  );
});

it("expressions that would take RegExp for ever take no time", () => {
  const name = `${"a".repeat(5000)}!`;
  for (const regexp of [
    "^(a+)+$",
    "^(a|a)*$",
    "^(a|aa)+$",
    "^(.*a){20}$",
    "^a*a*a*a*a*a*a*a*b$",
    "(x+x+)+y",
    "^(\\w+\\s?)*$",
  ]) {
    expect(selected([name], regexp, "")).toEqual([]);
    expect(selected(["aaaaaaaaaaaaaaaaaaaaaaaa"], regexp, "").length).toBe(
      expected(["aaaaaaaaaaaaaaaaaaaaaaaa"], regexp, "").length,
    );
  }
});

it.each([
  ["(a)\\1", "", "a reference back"],
  ["(?<x>a)\\k<x>", "", "a reference back"],
  ["(?=a)", "", "a look ahead or behind"],
  ["(?!a)b", "", "a look ahead or behind"],
  ["(?<=a)b", "", "a look ahead or behind"],
  ["(?<!a)b", "", "a look ahead or behind"],
  ["a{1000}{1000}", "", "what is none"],
  ["(?:a{1000}){1000}", "", "steps"],
  ["(?:(?:(?:){9999999}){9999999}){9999999}b{6000}", "", "steps"],
  ["(?:(?:a?){99}){99}", "", "steps"],
  ["a".repeat(1001), "", "characters"],
  ["a{", "", "`{`"],
  ["]", "", "`]`"],
  ["(", "", "what is none"],
  ["*", "", "what is none"],
  ["a", "y", "the flags"],
  ["a", "v", "the flags"],
  ["a", "gg", "what is none"],
  ["\\u{zz}", "u", "what is none"],
])("/%s/%s is refused", (regexp, flags, what) => {
  const message = expectError("ERR_FORMAT", () => k.optimizer.fromJSON(json(regexp, flags)));
  expect(message).toContain(`given ${what}`.replace(/given (steps|characters)/, "$1"));
  expect(message.length).toBeLessThan(400);
});

it("what a program writes itself may be any expression", () => {
  const parameters = k.dict({ aa: 1, ab: 1 });
  k.gradflag(parameters, true);
  const builder = k.optimizer("adamw").noDecay(/(a)\1/);
  const o = builder.build(parameters);
  expect(o.definition().options.map((row) => row.decay)).toEqual([0.01, 0]);
  expectError("ERR_FORMAT", () => k.optimizer.fromJSON(builder.toJSON()));
});

it("every other fact that is wrong is a typed error", () => {
  const good = k.optimizer("adamw").group("a").toJSON();
  const before = k.handlecount();
  const wrong: readonly unknown[] = [
    ...[null, undefined, 7, "x", [], new Map(), () => 1, {}],
    ...["optimizer", "options", "groups", "noDecay"].map((key) => ({ ...good, [key]: undefined })),
    ...["optimizer", "options", "groups", "noDecay", "fused", "offload"].flatMap((key) =>
      [null, 7, {}, "x", [[]], [null], [7], [{}]]
        .filter((value) => !(key === "options" && typeof value === "object" && value !== null && !Array.isArray(value)))
        .map((value) => ({ ...good, [key]: value })),
    ),
    { ...good, more: 1 },
    { ...good, groups: [{ parameters: "a", options: {}, more: 1 }] },
    { ...good, groups: [{ parameters: { instance: {} }, options: {} }] },
    { ...good, noDecay: [{ regexp: "a", flags: "", more: 1 }] },
    { ...good, noDecay: [{ regexp: 7, flags: "" }] },
    { ...good, noDecay: [{ regexp: "a" }] },
    { ...good, optimizer: "nonsense" },
    { ...good, options: { nonsense: 1 } },
    { ...good, options: { lr: "x" } },
    { ...good, options: { decay: 0.1, weight_decay: 0.1 } },
    { ...good, schedule: { schedule: "nonsense" } },
    { ...good, schedule: 7 },
  ];
  for (const data of wrong) {
    const parameters = k.dict({ a: 1, b: 1 });
    k.gradflag(parameters, true);
    try {
      k.optimizer.fromJSON(data as never).build(parameters);
      expect.fail(`${JSON.stringify(data)} is taken`);
    } catch (error) {
      expect(error, JSON.stringify(data)).toBeInstanceOf(k.StepwellError);
    }
    k.free(parameters);
    expect(k.handlecount()).toBe(before);
  }
});
