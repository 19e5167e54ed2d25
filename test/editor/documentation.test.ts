// An editor shows documentation of every export: on hover, at a call and in completion.

import * as k from "@stepwell/sdk";
import { beforeAll, describe, expect, it } from "vitest";
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

// One program has all names, since an editor reads the declarations anew for each program. Names are sorted: where one is the
// beginning of another, it comes first, and so does its place.
describe.each(entries)("%s", (entry) => {
  describe("names that are imported", () => {
    const names = exported.filter((name) => !reserved.includes(name));
    const lines = names.map((name) => `import { ${name} } from "${entry}";\nconst used_${name} = ${name};`);
    beforeAll(() => editor.open(lines.join("\n")));

    it("has no errors", () => expect(editor.errors()).toEqual([]));

    it.each(names)("%s is documented where it is imported and used", (name) => {
      const used = `const used_${name} = `;
      expect.soft(editor.hover(`import { ${name}`), "at the import").not.toBe("");
      expect.soft(editor.hover(used + name), "on hover").not.toBe("");
      expect.soft(editor.completion(used, name), "in completion").not.toBe("");
    });
  });

  describe("names of a namespace", () => {
    const lines = exported.map((name) => `const used_${name} = k.${name};`);
    beforeAll(() => editor.open([`import * as k from "${entry}";`, ...lines].join("\n")));

    it("has no errors", () => expect(editor.errors()).toEqual([]));

    it("are completed", () => {
      const [first = ""] = exported;
      expect(editor.completions(`const used_${first} = k.`)).toEqual(expect.arrayContaining(exported));
    });

    it.each(exported)("k.%s is documented", (name) => {
      const used = `const used_${name} = k.`;
      expect.soft(editor.hover(used + name), "on hover").not.toBe("");
      expect.soft(editor.completion(used, name), "in completion").not.toBe("");
    });
  });

  describe("calls", () => {
    const lines = functions.map((name) => `k.${name}();`);
    beforeAll(() => editor.open([`import * as k from "${entry}";`, ...lines].join("\n")));

    it.each(functions)("every signature of %s is documented at the call", (name) => {
      const signatures = editor.signatures(`k.${name}(`);
      expect(signatures.length).toBeGreaterThan(0);
      expect(signatures.filter(({ documentation }) => documentation === "")).toEqual([]);
      expect(signatures.length).toBeLessThanOrEqual(10);
    });
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
    const calls = setters.toSorted().map((setter) => `optimizer("${optimizer}").${setter}();\n`);
    editor.open(`import { optimizer } from "@stepwell/sdk";\n${calls.join("")}`);
    for (const setter of setters) {
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
