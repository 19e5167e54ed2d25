// The page of coverage equals the names that the package has.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { expect, it } from "vitest";
import { count, type Kind, nameHere, names, page, present, renamed } from "./coverage.js";

const path = join(import.meta.dirname, "../../docs/reference/coverage.md");

it("the page is up to date", () => {
  const found = existsSync(path) ? readFileSync(path, "utf8") : "";
  const wanted = page();
  // A stale page is written anew, and the test fails once.
  if (found !== wanted) writeFileSync(path, wanted);
  expect(found).toBe(wanted);
});

it.each([
  ["functions", 429],
  ["modules", 128],
  ["losses", 21],
] as const)("the list has each of the k-api's %s once", (kind, total) => {
  const all = Object.values(names[kind]).flat();
  expect([all.length, new Set(all).size]).toEqual([total, total]);
});

it.each(["functions", "modules", "losses"] as const)("renamed %s are of the list, and exist here", (kind: Kind) => {
  const all = Object.values(names[kind]).flat();
  for (const [name, here] of Object.entries(renamed[kind])) {
    expect(all).toContain(name);
    expect([...present[kind]]).toContain(here);
    expect(present[kind].has(name), `${name} has its own name here`).toBe(false);
  }
});

it("counts names that exist, in capitals too, and no other", () => {
  expect(nameHere("functions", "Abs")).toBe("abs");
  expect(nameHere("functions", "fft")).toBeUndefined();
  expect(nameHere("functions", "data"), "has another meaning here").toBeUndefined();
  expect(nameHere("modules", "linear")).toBe("linear");
  expect(nameHere("modules", "randomcrop")).toBeUndefined();
  const counted = [...readFileSync(path, "utf8").matchAll(/^\| `\w+` +\| `/gm)].length;
  const kinds = ["functions", "modules", "losses"] as const;
  expect(counted).toBe(kinds.reduce((sum, kind) => sum + count(kind)[0], 0));
});

it("batchnorm is the k-api's of one, two and three dimensions", () => {
  const m = k.module(["batchnorm", 2]);
  for (const shape of [
    [3, 2],
    [3, 2, 4],
    [3, 2, 4, 4],
    [3, 2, 2, 2, 2],
  ]) {
    expect(k.size(k.forward(m, k.full(shape, 1)))).toEqual(shape);
  }
  k.free();
});

it.each([
  ["ERR_OPTION_TYPE", ["conv2d", 1, 2, 3, { pad: "same" }]],
  ["ERR_OPTION_UNKNOWN", ["relu", { inplace: true }]],
  ["ERR_OPTION_UNKNOWN", ["embedding", 5, 2, { sparse: true }]],
  ["ERR_OPTION_UNKNOWN", ["embedding", 5, 2, { scale: true }]],
  ["ERR_OPTION_UNKNOWN", ["encoderlayer", 4, 2, 8, { bias: false }]],
])("%s is the error that the page states of %j", (code, layer) => {
  expect(() => k.module(layer as never)).toThrow(expect.objectContaining({ code }));
});
