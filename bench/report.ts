// Where and with what the figures were made, and the figures as Markdown.

import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform } from "node:os";
import { libtorch } from "@stepwell/native";
import type { Figure } from "./figures.js";
import { type Comparison, rounds } from "./rounds.js";

export interface Results {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly versions: Readonly<Record<"stepwell" | "node" | "tch" | "libtorch", string>>;
  readonly rounds: number;
  readonly callsPerStep: number;
  /** Microseconds, as are all times. */
  readonly call: Figure;
  readonly comparisons: readonly Comparison[];
  readonly optimizers: Readonly<Record<string, Figure>>;
}

export function circumstances() {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    system: `${platform()} ${arch()}`,
    versions: {
      stepwell: locked("stepwell-node"),
      node: process.versions.node,
      tch: locked("tch"),
      libtorch: libtorch.version,
    },
    rounds,
  };
}

/** A crate's version. */
function locked(crate: string): string {
  const lock = readFileSync(new URL("../../Cargo.lock", import.meta.url), "utf8");
  return new RegExp(`^name = "${crate}"\\r?\\nversion = "(.+)"`, "m").exec(lock)?.[1] ?? "unknown";
}

export function markdown(results: Results): string {
  const { versions } = results;
  const machine = `${results.cpu} with ${results.cores} core${results.cores === 1 ? "" : "s"}, ${results.system}`;
  const software = `Stepwell ${versions.stepwell}, Node ${versions.node}, tch ${versions.tch}, libtorch ${versions.libtorch}`;
  const comparisons = results.comparisons.flatMap(({ model, tensors, elements, stepwell, tch }) =>
    tch.map((rival) => [
      `${model} (tensors: ${tensors}, parameters: ${elements.toLocaleString("en")})`,
      range(stepwell),
      String(rival.threads),
      range(rival.step),
      `${rival.ratio.median.toFixed(2)} (${rival.ratio.min.toFixed(2)} to ${rival.ratio.max.toFixed(2)})`,
    ]),
  );
  const optimizers = Object.entries(results.optimizers).map(([name, time]) => [`\`${name}\``, range(time)]);
  return `# A step, timed

${results.date}, ${machine}. ${software}. Made by \`npm run bench\`.

Times are microseconds: the median of ${results.rounds} rounds, and in parentheses the least and the largest. Both sides
take turns within a round, each waiting while the other works, on the same float32 tensors with the same gradients.

## \`step(o)\` from TypeScript and tch's \`nn::Adam\` from Rust

Stepwell's step runs on one thread. libtorch takes several for large tensors, so tch is timed with one thread and with
as many as it takes by itself. The ratio is tch's median over Stepwell's; in parentheses, the least and the largest
within a round. More than 1 means that Stepwell is faster.

${table(["Parameters", "Stepwell", "Threads of tch", "tch", "Ratio"], comparisons)}

## The call

A step is ${results.callsPerStep} call${results.callsPerStep === 1 ? "" : "s"} of the addon. The cheapest call, \`handlecount()\`, takes ${range(results.call)}.

## \`step(o)\` of each optimizer on the demo's model

${table(["Optimizer", "Step"], optimizers)}
`;
}

function range({ median, min, max }: Figure): string {
  return `${short(median)} (${short(min)} to ${short(max)})`;
}

/** Three digits, or as many as stand before the point. */
function short(number: number): string {
  return number < 1000 ? number.toPrecision(3) : Math.round(number).toLocaleString("en");
}

/** A table of padded cells, as the formatter wants it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
