// The results as Markdown.

import type { Machine, Result, Results, Row } from "./results.js";
import { sections } from "./sections.js";
import { range, short, table } from "./table.js";
import { type Target, targets } from "./targets.js";

/** Everything; promises that nothing was measured of stand in it when it is to be whole. */
export function report(all: ReadonlyMap<string, Results>, whole: boolean): string {
  const promised = targets([...all.values()].flatMap(({ results }) => results));
  const written = sections.flatMap(({ name, title }) => {
    const results = all.get(name)?.results ?? [];
    return results.length > 0 ? [`## ${title}\n\n${section(results)}\n${leftOut(results)}`] : [];
  });
  return `# Measured

${circumstances(all)} Made by \`npm run bench\`, which CONTRIBUTING.md describes.

All entrants of a case take turns in each round of one run, each in a process of its own that sleeps while the others work.
They step equal float32 tensors with equal gradients. After their first three steps their parameters are compared.

Times are microseconds of a step: the median of all rounds, with minimum and maximum in parentheses. A ratio is a time divided
by the time of the first row of its case, as the median over all rounds: above 1, the first row is faster. The share of the
stream is the minimum memory traffic of a step per second, divided by the traffic of \`p[i] += c\` over 256 MiB just before it.
A step of nested arrays is one conversion, in processor time. So are, in one thread, chains of operations and steps of the
transformer.

## Promises

${promises(promised.filter(({ measured }) => whole || measured !== undefined))}

${written.join("\n")}`;
}

/** Where and with what. */
export function circumstances(all: ReadonlyMap<string, Results>): string {
  const dates = [...all.values()].flatMap(({ results }) => results.map(({ date }) => date)).sort();
  const [machine] = [...all.values()].map((results) => results.machine);
  if (machine === undefined) return "Nothing has been measured.";
  const [first, last] = [dates[0], dates.at(-1)];
  return `${first === last ? first : `${first} to ${last}`}, ${described(machine)}.`;
}

function described({ cpu, cores, memory, system, versions }: Machine): string {
  const software = `Stepwell ${versions.stepwell}, Node ${versions.node}, tch ${versions.tch}, libtorch ${versions.libtorch}`;
  return `${cpu} with ${cores} core${cores === 1 ? "" : "s"} and ${memory}, ${system}; ${software}`;
}

function promises(rows: readonly Target[]): string {
  return table(
    ["What", "Threads", "Wanted", "Measured", ""],
    rows.map(({ name, threads, wanted, measured, passed }) => [
      name,
      String(threads),
      wanted,
      measured === undefined ? "not measured" : short(measured),
      measured === undefined ? "" : passed ? "pass" : "**fail**",
    ]),
  );
}

function section(results: readonly Result[]): string {
  const rows = results.flatMap(({ id, rows }) => {
    const [, name = "", threads = ""] = id.split("/");
    return rows.map((row) => ({ name, threads, row }));
  });
  const columns = optional.filter(({ cell }) => rows.some(({ row }) => cell(row) !== ""));
  return table(
    ["What", "Threads", "Who", ...columns.map(({ head }) => head)],
    rows.map(({ name, threads, row }) => [name, threads, row.label, ...columns.map(({ cell }) => cell(row))]),
  );
}

/** Columns that a table has where one of its rows has something to say. */
const optional: readonly { readonly head: string; readonly cell: (row: Row) => string }[] = [
  { head: "Parameters", cell: ({ parameters }) => parameters?.toLocaleString("en") ?? "" },
  { head: "Step, µs", cell: ({ microseconds }) => (microseconds ? range(microseconds) : "") },
  {
    // Of a training; a step of an optimizer alone says its parameters, and a call says what it is compared with.
    head: "Steps per second",
    cell: ({ microseconds, parameters, difference }) =>
      microseconds && parameters === undefined && difference === undefined ? short(1e6 / microseconds.median) : "",
  },
  { head: "Import, ms", cell: ({ milliseconds }) => (milliseconds ? range(milliseconds) : "") },
  { head: "Ratio", cell: ({ ratio }) => (ratio ? range(ratio) : "") },
  { head: "Longer by, µs", cell: ({ difference }) => (difference ? range(difference) : "") },
  { head: "GB/s", cell: ({ gigabytes }) => (gigabytes ? short(gigabytes.median) : "") },
  { head: "Share of the stream", cell: ({ share }) => (share ? range(share) : "") },
  { head: "Page faults of a step", cell: ({ faults, share }) => (faults && share ? range(faults) : "") },
  { head: "Peak, MiB", cell: ({ peak }) => (peak === undefined ? "" : short(peak / 2 ** 20)) },
  {
    head: "Bytes for each parameter",
    cell: ({ peak, parameters }) => (peak === undefined || parameters === undefined ? "" : short(peak / parameters)),
  },
];

/** Who is not in the table, once for each reason. */
function leftOut(results: readonly Result[]): string {
  const reasons = new Map<string, Set<string>>();
  for (const { label, reason } of results.flatMap(({ skipped }) => skipped)) {
    reasons.set(reason, (reasons.get(reason) ?? new Set()).add(label));
  }
  const lines = [...reasons].map(([reason, labels]) => `- ${[...labels].join(", ")}: ${reason}`);
  return lines.length > 0 ? `\nLeft out where:\n\n${lines.join("\n")}\n` : "";
}
