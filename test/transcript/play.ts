// Plays the page on an SDK, line by line.

import { deepStrictEqual as same } from "node:assert/strict";
import { definition } from "./definition.js";
import { cuda } from "./gpu.js";
import { gradients } from "./gradients.js";
import { groups } from "./groups.js";
import { help } from "./help.js";
import { introduction } from "./introduction.js";
import { lamb } from "./lamb.js";
import type { Line, Sdk } from "./line.js";
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
export const sections: readonly (readonly [title: string, section: (k: Sdk) => readonly Line[]])[] = [
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

/** The replacements on this machine in a section that names a GPU. */
export const stands = (section: readonly Line[]) =>
  cuda === "cpu" && section.some(({ q }) => q.includes("`cuda")) ? ", where `cpu` stands for `cuda`" : "";

/**
 * Plays a section: a line works on what the lines before it have left. Fails at the first line whose output or effect differs
 * from the page.
 */
export function play(k: Sdk, section: (k: Sdk) => readonly Line[]): void {
  k.free();
  k.seed(1);
  for (const line of section(k)) {
    same([line.q, ...comparable(line, output(k, line))], [line.q, ...comparable(line, line.seed ?? [])]);
    try {
      line.check?.();
    } catch (error) {
      throw new Error(`after ${line.q}`, { cause: error });
    }
  }
  k.free();
  same(k.handlecount(), 0, "objects that live after free[]");
}

/** Runs a line and shows what it returns, or the error that it throws, as the console does. */
function output(k: Sdk, { q, run, look }: Line): string[] {
  try {
    return lines(run(), look);
  } catch (error) {
    if (!(error instanceof k.StepwellError)) throw error;
    return [`'${error.message}`, `  [0]  ${q.slice(2)}`, "       ^"];
  }
}

/** Output without runs of spaces, which the page has lost, addresses and random numbers. */
function comparable({ random }: Line, output: readonly string[]): string[] {
  return output.map((line) => {
    const spaced = line.trim().replace(/ +/g, " ");
    if (random?.test(spaced)) return spaced.replace(/(?<=[| ])-?\d[\d.]*(e[-+]\d+)?/g, "#");
    return spaced.replace(/(?<![\d.])\d{8}(?![\d.])/g, String(ADDRESS));
  });
}
