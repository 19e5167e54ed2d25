// The pages for those who come from elsewhere name functions, classes and options that are here.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { publicSymbols } from "@stepwell/docs/symbols";
import { schedules } from "@stepwell/sdk";
import { describe, expect, it } from "vitest";

const folder = join(import.meta.dirname, "..", "..", "docs", "from");
const symbols = publicSymbols();

/** Names that a program can import, and the members of their objects. */
const names = new Set([
  ...symbols.flatMap(({ name, members }) => [name, ...members.map((member) => member.name)]),
  ...Object.keys(schedules),
]);
/** Names that the examples of a row choose themselves. */
const own = new Set(["learner", "m1", "path", "objects", "text", "classes", "inputs", "targets"]);

/** Names in code of the last column of the table of words: what is called, and what an object of options has. */
function namesIn(page: string): readonly string[] {
  const rows = readFileSync(join(folder, page), "utf8").match(/^\| .*\|$/gm) ?? [];
  const cells = rows.map((row) => row.replaceAll("\\|", "").split("|").at(-2) ?? "");
  const code = cells.flatMap((cell) => [...cell.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, text = ""]) => text));
  return code.flatMap((text) =>
    [...text.matchAll(/(?<![\w"$@/.])([A-Za-z]\w+)(?=\()|\.([a-z]\w+)(?=\()|[{,] ([a-z]\w+)(?=[:,]| })/g)].map(
      ([, called, method, option]) => called ?? method ?? option ?? "",
    ),
  );
}

describe.each(readdirSync(folder))("%s", (page) => {
  it("names what is here", () => {
    const found = namesIn(page);
    expect(found.length).toBeGreaterThan(10);
    const standard = ["Number", "log", "stringify", "parse"];
    expect(found.filter((name) => !names.has(name) && !own.has(name) && !standard.includes(name))).toEqual([]);
  });
});
