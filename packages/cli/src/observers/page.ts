// Pages of one file of HTML, with styles, scripts and numbers in it.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { jsonNumber } from "../output/environment.js";

const folder = new URL("../../page/", import.meta.url);
const require = createRequire(import.meta.url);

/**
 * The page with numbers, such as the record of a training. A template links to files in its own folder and in `page` of this package.
 * There, `page.css` has the styles, and `chart.js` draws charts after `uPlot.iife.min.js`. The script `numbers` has the numbers as JSON.
 */
export function pageOf(numbers: unknown, template: URL = new URL("training.html", folder)): string {
  // "<" could end the script early.
  const json = JSON.stringify(numbers, jsonNumber).replaceAll("<", "\\u003c");
  const read = (name: string) => {
    if (name === "numbers") return json;
    if (name.startsWith("uPlot")) return readFileSync(require.resolve(`uplot/dist/${name}`), "utf8");
    const own = new URL(name, template);
    return readFileSync(existsSync(own) ? own : new URL(name, folder), "utf8");
  };
  return readFileSync(template, "utf8")
    .replace(/<link rel="stylesheet" href="([^"]+)" ?\/?>/g, (_, name: string) => `<style>${read(name)}</style>`)
    .replace(
      /<script([^>]*) src="([^"]+)">/g,
      (_, attributes: string, name: string) => `<script${attributes}>${read(name)}`,
    );
}
