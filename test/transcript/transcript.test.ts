import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { afterAll, describe, expect, it } from "vitest";
import { definition } from "./definition.js";
import { gradients } from "./gradients.js";
import { groups } from "./groups.js";
import { help } from "./help.js";
import { introduction } from "./introduction.js";
import { lamb } from "./lamb.js";
import type { Line } from "./line.js";
import { modules } from "./modules.js";
import { options } from "./options.js";
import { parameters } from "./parameters.js";
import { ADDRESS, lines } from "./q-console.js";
import { rates } from "./rates.js";
import { restore } from "./restore.js";
import { state } from "./state.js";
import { step } from "./step.js";
import { storage } from "./storage.js";

/** The page's sections in its order. */
const sections: readonly (readonly [title: string, section: () => readonly Line[]])[] = [
  ["Optimizers", introduction],
  ["Help", help],
  ["Options", options],
  ["Specifying parameters", parameters],
  ["Get optimizer definition", definition],
  ["Storage and other information", storage],
  ["Parameter groups", groups],
  ["Parameter state", state],
  ["Restoring state", restore],
  ["Managing multiple modules", modules],
  ["Learning rate", rates],
  ["Resetting gradients", gradients],
  ["Step", step],
  ["LAMB", lamb],
];

/** The transcripts of the page without the text between them: each line that starts with `q)`, and what it shows. */
const page = readFileSync(fileURLToPath(new URL("seed.txt", import.meta.url)), "utf8")
  .trimEnd()
  .split("\n");

afterAll(() => k.free());

it("holds each of the page's 159 lines with its output, in order", () => {
  const held = sections.flatMap(([, section]) => section());
  expect(held).toHaveLength(159);
  expect(page.filter((line) => line.startsWith("q)"))).toHaveLength(159);
  expect(held.flatMap(({ q, seed = [] }) => [q, ...seed])).toEqual(page);
});

describe.each(sections)("%s", (_, section) => {
  // A line works on what the lines before it have left, so each section is one test.
  it("shows what the page shows", () => {
    k.seed(1);
    for (const line of section()) {
      expect([line.q, ...comparable(line, output(line))]).toEqual([line.q, ...comparable(line, line.seed ?? [])]);
    }
  });
});

/** Runs a line and shows what it returns, or the error that it throws, as the console does. */
function output({ q, run, look }: Line): string[] {
  try {
    return lines(run(), look);
  } catch (error) {
    if (!(error instanceof k.StepwellError)) throw error;
    return [`'${error.message}`, `  [0]  ${q.slice(2)}`, "       ^"];
  }
}

/** Output without what may differ: runs of spaces, which the page has lost, addresses, and numbers that are random. */
function comparable({ random }: Line, output: readonly string[]): string[] {
  return output.map((line) => {
    const spaced = line.trim().replace(/ +/g, " ");
    if (random?.test(spaced)) return spaced.replace(/(?<=[| ])-?\d[\d.]*(e[-+]\d+)?/g, "#");
    return spaced.replace(/(?<![\d.])\d{8}(?![\d.])/g, String(ADDRESS));
  });
}
