// The code of a model throws anything, ends the process, or waits for ever: one line with a code, which names its file.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isThrown, thrownProperty, thrownText } from "../../packages/cli/dist/thrown.js";
import { installed, type Project } from "./installed.js";

let project: Project;
beforeAll(() => {
  project = installed();
  writeFileSync(join(project.folder, "data.csv"), "a,b\n1,2\n2,4\n3,6\n");
});
afterAll(() => project.remove());

const forwarding = (statement: string) => `
  import { Module } from "@stepwell/sdk";
  export default () => new (class extends Module {
    inner = Module.of(["linear", 1, 1]);
    forward(x) {
      ${statement}
      return this.inner.forward(x);
    }
  })();`;
const asleep = "its code waits for a promise that never settles";
const ended = "its code ended the process";

/** Name of the file, content, exit code, code, and message after the name. */
const rows: readonly (readonly [string, string, number, string, string])[] = [
  ["throws.ts", "throw undefined;", 2, "ERR_FORMAT", "it cannot be imported: "],
  ["makes-null.mjs", "export default () => { throw null; };", 2, "ERR_MODEL", "its code failed: null"],
  [
    "gives-proxy.mjs",
    "export default new Proxy({}, { getPrototypeOf() { throw 3; } });",
    2,
    "ERR_MODEL",
    "its code failed: 3",
  ],
  ["forwards-null.mjs", forwarding("throw null;"), 2, "ERR_MODEL", "its code failed: null"],
  ["waits.mjs", "await new Promise(() => {}); export default 1;", 2, "ERR_MODEL", asleep],
  ["makes-none.js", "export default () => new Promise(() => {});", 2, "ERR_MODEL", asleep],
  ["ends.mjs", "process.exit(0);", 1, "ERR_MODEL", ended],
  ["forwards-end.mjs", forwarding("process.exit();"), 1, "ERR_MODEL", ended],
  [
    "rejects.mjs",
    'Promise.reject(new Error("late")); export default ["linear", 1, 1];',
    1,
    "ERR_MODEL",
    "its code did not catch an error: late",
  ],
];

describe("the code of a model", () => {
  it.each(rows)("%s", (name, content, status, code, message) => {
    writeFileSync(join(project.folder, name), content);
    const train = ["train", "data.csv", "--model", name, "--no-save", "--quiet", "--epochs", "1"];
    const { stderr, ...outcome } = project.run([...train, "--json"], "wasm");
    expect({ stderr, status: outcome.status }).toEqual({ stderr: expect.stringMatching(/^\{.*\}\n$/), status });
    const { error } = JSON.parse(stderr);
    expect(error).toMatchObject({ code, message: expect.stringContaining(`${name}: ${message}`) });
  });
});

describe("a value that was thrown", () => {
  const hostile = {
    get: () => {
      throw new Error("get");
    },
    getPrototypeOf: () => {
      throw new Error("getPrototypeOf");
    },
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  it("has a text, and throws nothing more", () => {
    const rows: readonly (readonly [unknown, string])[] = [
      [null, "null"],
      [undefined, "undefined"],
      ["a text", "a text"],
      [new TypeError("a message"), "a message"],
      [{ message: 5 }, "{ message: 5 }"],
      [Object.create(null), "[Object: null prototype] {}"],
      [new Proxy({}, hostile), "{}"],
      [revoked.proxy, "<Revoked Proxy>"],
      [Object.defineProperty({}, "message", hostile), "{}"],
      [Object.defineProperty(new Error(), "stack", hostile), "a value that cannot be shown"],
      [{ [inspect.custom]: hostile.get }, "{ [Symbol(nodejs.util.inspect.custom)]: [Function: get] }"],
    ];
    for (const [thrown, text] of rows) {
      expect(thrownText(thrown)).toBe(text);
      expect(isThrown(thrown, RangeError)).toBe(false);
      expect(thrownProperty(thrown, "absent")).toBeUndefined();
    }
  });
});
