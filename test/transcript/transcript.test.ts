import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { afterAll, describe, expect, it } from "vitest";
import { play, sections, stands } from "./play.js";

/** The transcripts of the page without the text between them: each line that starts with `q)`, and what it shows. */
const page = readFileSync(fileURLToPath(new URL("seed.txt", import.meta.url)), "utf8")
  .trimEnd()
  .split("\n");

const held = sections.flatMap(([, section]) => section(k));

afterAll(() => k.free());

it("holds each of the page's 159 lines with its output, in order", () => {
  expect(held).toHaveLength(159);
  expect(page.filter((line) => line.startsWith("q)"))).toHaveLength(159);
  expect(held.flatMap(({ q, seed = [] }) => [q, ...seed])).toEqual(page);
});

it("looks at what each line has done that shows nothing", () => {
  expect(held.filter(({ seed, check }) => !seed && !check).map(({ q }) => q)).toEqual([]);
  expect(held.filter(({ seed }) => !seed).length).toBe(106);
});

describe.each(sections)("%s", (_, section) => {
  it(`shows what the page shows, and does it${stands(section(k))}`, () => play(k, section));
});
