// The site of the documentation is built, and each of its links leads to a page and to a heading of it. VitePress itself refuses links
// of Markdown to pages that are not there.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const site = join(root, "docs", "dist", "www");
const pages = new Map<string, string>();

beforeAll(() => {
  execFileSync(process.execPath, ["-e", `import("./scripts/docs.mjs").then(({ buildDocs }) => buildDocs())`], {
    cwd: root,
    encoding: "utf8",
  });
  for (const file of readdirSync(site, { recursive: true, encoding: "utf8" })) {
    if (file.endsWith(".html")) pages.set(file.replaceAll("\\", "/"), readFileSync(join(site, file), "utf8"));
  }
});

/** The targets of an attribute on a page, as files of the site with the name of a heading. */
function targetsOf(page: string, attribute: "href" | "src"): readonly (readonly [file: string, id: string])[] {
  const found = [...(pages.get(page) ?? "").matchAll(new RegExp(`\\s${attribute}="([^"]*)"`, "g"))];
  return found
    .map(([, target = ""]) => target.replaceAll("&amp;", "&"))
    .filter((target) => !/^(?:[a-z]+:|\/\/)/.test(target))
    .map((target) => {
      const [path = "", id = ""] = target.split("#");
      const file = path === "" ? page : posix.join("/", path.startsWith("/") ? "" : posix.dirname(page), path).slice(1);
      return [file === "" || file.endsWith("/") ? `${file}index.html` : file, decodeURIComponent(id)] as const;
    });
}

describe("the site", () => {
  it("has the pages of all parts", () => {
    for (const page of [
      "index",
      "readme",
      "tutorial",
      "from/pytorch",
      "internals/sweep",
      "errors/ERR_SHAPE",
      "api/functions/matrix",
      "how-to/layer",
    ]) {
      expect([...pages.keys()]).toContain(`${page}.html`);
    }
    expect(pages.size).toBeGreaterThan(150);
  });

  it("has no link to a page or a heading that is not there", () => {
    const broken = [...pages.keys()].flatMap((page) =>
      targetsOf(page, "href")
        .filter(([file, id]) => {
          const text = pages.get(file) ?? pages.get(`${file}.html`);
          if (text === undefined) return !existsSync(join(site, file));
          return id !== "" && !text.includes(` id="${id}"`);
        })
        .map(([file, id]) => `${page}: ${file}#${id}`),
    );
    expect([...new Set(broken)]).toEqual([]);
  });

  it("loads nothing from other hosts", () => {
    const loads = /<(?:script|img|link(?! rel="(?:canonical|alternate)"))[^>]*(?:src|href)="(?:https?:)?\/\/[^"]*"/g;
    const found = [...pages].flatMap(([page, text]) => [...text.matchAll(loads)].map(([tag]) => `${page}: ${tag}`));
    const styles = readdirSync(join(site, "assets")).filter((name) => name.endsWith(".css"));
    const imported = styles.filter((name) =>
      /(?:url\(["']?|@import ["'])(?:https?:)?\/\//.test(readFileSync(join(site, "assets", name), "utf8")),
    );
    expect([...found, ...imported]).toEqual([]);
  });
});
