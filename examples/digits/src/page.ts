// The report as one HTML page that needs nothing but itself.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Mistake } from "./mistakes.js";
import type { Report } from "./report.js";

const folder = join(import.meta.dirname, "..", "report");
const require = createRequire(import.meta.url);

/** The page with its styles, scripts and numbers in it, instead of links to them. */
export function page(report: Report, mistakes: readonly (readonly Mistake[])[]): string {
  // "<" could end the script early.
  const numbers = JSON.stringify({ ...report, mistakes }).replaceAll("<", "\\u003c");
  const read = (name: string) => {
    if (name === "numbers") return numbers;
    return readFileSync(name.startsWith("uPlot") ? require.resolve(`uplot/dist/${name}`) : join(folder, name), "utf8");
  };
  return read("page.html")
    .replace(/<link rel="stylesheet" href="([^"]+)" ?\/?>/g, (_, name: string) => `<style>${read(name)}</style>`)
    .replace(
      /<script([^>]*) src="([^"]+)">/g,
      (_, attributes: string, name: string) => `<script${attributes}>${read(name)}`,
    );
}
