// The table of contents.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { DefaultTheme } from "vitepress";
import { apiGroups } from "./api-groups.js";
import { pageOf, pagesIn, root, titleOf } from "./pages.js";

type Item = DefaultTheme.SidebarItem;

const page = (file: string, text = titleOf(file)): Item => ({ text, link: pageOf(file) ?? "" });
const pages = (folder: string): Item[] => pagesIn(folder).map((file) => page(file));
const group = (text: string, items: Item[], collapsed = true): Item => ({ text, items, collapsed });

/** One table for all pages, so that a reader never loses the place. */
export function sidebar(): Item[] {
  return [
    {
      text: "Start",
      items: [page("README.md", "Overview"), page("docs/tutorial.md"), ...pages("docs/from")],
    },
    { text: "Guides", items: [...pages("docs/guides"), page("docs/recipes.md")] },
    {
      text: "Reference",
      items: [
        group(
          "Optimizers",
          pages("docs/reference").filter(({ text }) => !text?.startsWith("Coverage")),
        ),
        ...apiGroups.map(({ name, text, pages }) =>
          group(
            text,
            pages.map(({ file, title }) => ({ text: title, link: `/api/${name}/${file}` })),
          ),
        ),
        group("Errors", [page("docs/errors/index.md", "All codes"), ...pages("docs/errors")]),
        page("docs/reference/coverage.md"),
      ],
    },
    {
      text: "Behind the calls",
      items: [
        page("docs/performance.md"),
        page("docs/reliability.md"),
        group("Figures", pages("bench/results")),
        group("Internals", pages("docs/internals")),
        group("Examples", pagesOfExamples()),
      ],
    },
    {
      text: "Project",
      items: [
        page("ARCHITECTURE.md"),
        page("CONTRIBUTING.md"),
        group("Add one more", pages("docs/how-to")),
        group("Decisions", pages("docs/decisions")),
        page("SECURITY.md"),
        page("CHANGELOG.md"),
      ],
    },
  ];
}

/** Examples that a person can copy, each with a page. */
function pagesOfExamples(): Item[] {
  return readdirSync(join(root, "examples"))
    .map((name) => `examples/${name}/README.md`)
    .filter((file) => existsSync(join(root, file)))
    .map((file) => page(file));
}
