// An editor shows documentation of every export: on hover, at a call and in completion.

import * as k from "@stepwell/sdk";
import { describe, expect, it } from "vitest";
import { Editor } from "./language-service.js";

const editor = new Editor();

/** The names of all exported values. */
const exported = Object.keys(k).sort();
const values = new Map(Object.entries(k));
const isClass = (value: unknown) =>
  typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
const classes = exported.filter((name) => isClass(values.get(name)));
const functions = exported.filter((name) => typeof values.get(name) === "function" && !classes.includes(name));

/** `class` and `return` are reserved words, which only a namespace can have as names. */
const reserved = ["class", "return"];
/** Members of `Error`, which TypeScript itself leaves without documentation. */
const inherited = ["cause", "message", "stack"];
const entries = ["@stepwell/sdk", "@stepwell/sdk/wasm"];

describe.each(entries)("%s", (entry) => {
  it.each(exported.filter((name) => !reserved.includes(name)))(
    "%s is documented where it is imported and used",
    (name) => {
      editor.open(`import { ${name} } from "${entry}";\nconst used = ${name};\n`);
      expect(editor.errors()).toEqual([]);
      expect.soft(editor.hover(`import { ${name}`), "at the import").not.toBe("");
      expect.soft(editor.hover(`= ${name}`), "on hover").not.toBe("");
      expect.soft(editor.completion("= ", name), "in completion").not.toBe("");
    },
  );

  it.each(exported)("k.%s is documented", (name) => {
    editor.open(`import * as k from "${entry}";\nconst used = k.${name};\n`);
    expect(editor.errors()).toEqual([]);
    expect.soft(editor.hover(`k.${name}`), "on hover").not.toBe("");
    expect.soft(editor.completions("= k."), "in completion").toContain(name);
    expect.soft(editor.completion("= k.", name), "in completion").not.toBe("");
  });

  it.each(functions)("every signature of %s is documented at the call", (name) => {
    editor.open(`import * as k from "${entry}";\nk.${name}();\n`);
    const signatures = editor.signatures(`k.${name}(`);
    expect(signatures.length).toBeGreaterThan(0);
    expect(signatures.filter(({ documentation }) => documentation === "")).toEqual([]);
    expect(signatures.length).toBeLessThanOrEqual(10);
  });

  it.each(classes)("every member of %s is documented", (name) => {
    editor.open(
      `import { ${name} } from "${entry}";\ndeclare const object: ${name};\nobject.x;\n${name}.x;\nnew ${name}();\n`,
    );
    const members = editor.completions("object.");
    expect(members.length).toBeGreaterThan(name === "Handle" ? -1 : 2);
    const undocumented = members.filter(
      (member) => !inherited.includes(member) && editor.completion("object.", member) === "",
    );
    expect(undocumented).toEqual([]);
  });
});

it("every setter of a builder is documented on hover, at the call and in completion", () => {
  for (const { optimizer } of k.help("optimizer")) {
    editor.open(`import { optimizer } from "@stepwell/sdk";\noptimizer("${optimizer}").x;\n`);
    const setters = editor.completions(`optimizer("${optimizer}").`);
    expect(setters.length).toBeGreaterThan(8);
    for (const setter of setters) {
      expect.soft(editor.completion(`optimizer("${optimizer}").`, setter), `${optimizer} ${setter}`).not.toBe("");
    }
    for (const setter of setters) {
      editor.open(`import { optimizer } from "@stepwell/sdk";\noptimizer("${optimizer}").${setter}();\n`);
      expect.soft(editor.hover(`.${setter}`), `${optimizer} ${setter}`).not.toBe("");
      const signatures = editor.signatures(`.${setter}(`);
      expect.soft(signatures.length, setter).toBeGreaterThan(0);
      expect
        .soft(
          signatures.filter(({ documentation }) => documentation === ""),
          `${optimizer} ${setter}`,
        )
        .toEqual([]);
    }
  }
});

it.each([
  "k.opt(",
  'k.opt("adam", ',
  'k.opt("adam", m, ',
  'k.opt("adam", m, 0.1, ',
  'k.opt("lamb", 0, m, ',
  "k.opt(o, ",
  "k.opt(o, m, ",
  "k.opt(o, 1, m, 0.1, ",
])("%s shows at most 10 signatures, each with documentation", (call) => {
  editor.open(`import * as k from "@stepwell/sdk";\nconst m = k.module("relu");\nconst o = k.opt("sgd");\n${call});\n`);
  const signatures = editor.signatures(call);
  expect(signatures.length).toBeGreaterThan(0);
  expect(signatures.length, signatures.map(({ label }) => label).join("\n")).toBeLessThanOrEqual(10);
  expect(signatures.filter(({ documentation }) => documentation === "")).toEqual([]);
});
