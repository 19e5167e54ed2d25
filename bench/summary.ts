// The figures that the README quotes.

import { circumstances } from "./report.js";
import type { Results } from "./results.js";
import { short, table } from "./table.js";

const quoted: readonly { readonly what: string; readonly id: string }[] = [
  { what: "Adam, the demo's model", id: "step/demo adam/1" },
  { what: "Adam, 1000 tensors of 16", id: "step/1000x16 adam/1" },
  { what: "Adam, ResNet-50", id: "step/ResNet-50 adam/1" },
  { what: "Adam, BERT-base", id: "step/BERT-base adam/1" },
  { what: "Adam, one tensor of 64 million, 2 threads", id: "large/1x64M adam/2" },
];
const rivals = ["tch", "libtorch C++", "PyTorch loop", "PyTorch foreach", "PyTorch fused"];

/** Stepwell's time, and how many times as long the others take. */
export function summary(all: ReadonlyMap<string, Results>): string {
  const results = [...all.values()].flatMap((section) => section.results);
  const rows = quoted.flatMap(({ what, id }) => {
    const found = results.find((result) => result.id === id)?.rows;
    const ours = found?.find(({ label }) => label === "Stepwell")?.microseconds;
    if (found === undefined || ours === undefined) return [];
    const cells = rivals.map((rival) => {
      const ratio = found.find(({ label }) => label === rival)?.ratio;
      return ratio ? `${short(ratio.median)} x` : "";
    });
    return [[what, `${short(ours.median)} µs`, ...cells]];
  });
  return `${table(["A step", "Stepwell", ...rivals], rows)}\n\n${circumstances(all)}\n`;
}

const marks = ["<!-- figures: written by npm run bench -->\n\n", "\n<!-- end of figures -->"] as const;

/** The README with this summary. */
export function quote(readme: string, summary: string): string {
  const start = readme.indexOf(marks[0]);
  const end = readme.indexOf(marks[1]);
  if (start < 0 || end < start) throw new Error("README.md has no place for the figures.");
  return readme.slice(0, start + marks[0].length) + summary + readme.slice(end);
}
