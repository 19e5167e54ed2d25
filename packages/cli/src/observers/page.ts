// The page of a training: one file of HTML with its styles, scripts and numbers.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { jsonNumber } from "../output/environment.js";

const folder = new URL("../../page/", import.meta.url);
const require = createRequire(import.meta.url);

/** The page with the numbers of a record, or of none yet. */
export function pageOf(record: unknown): string {
  // "<" could end the script early.
  const numbers = JSON.stringify(record, jsonNumber).replaceAll("<", "\\u003c");
  const read = (name: string) => {
    if (name === "numbers") return numbers;
    return readFileSync(
      name.startsWith("uPlot") ? require.resolve(`uplot/dist/${name}`) : new URL(name, folder),
      "utf8",
    );
  };
  return read("training.html")
    .replace(/<link rel="stylesheet" href="([^"]+)" ?\/?>/g, (_, name: string) => `<style>${read(name)}</style>`)
    .replace(
      /<script([^>]*) src="([^"]+)">/g,
      (_, attributes: string, name: string) => `<script${attributes}>${read(name)}`,
    );
}
