// Links between files of the repository as links between pages of the site.

import { posix, relative } from "node:path";
import type { MarkdownRenderer } from "vitepress";
import { pageOf, root } from "./pages.js";

/** The environment of a page that is rendered: VitePress's, with the path of its source. A title alone has none. */
interface PageEnvironment {
  readonly path?: string;
  readonly realPath?: string;
}

/**
 * Makes targets of links addresses of pages. The name of a source file, such as `packages/sdk/src/errors.ts`, is not a link here: it
 * is one where the repository is read.
 */
export function linksBetweenPages(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("links-between-pages", ({ tokens, env }) => {
    const { realPath, path } = env as PageEnvironment;
    const source = realPath ?? path;
    if (source === undefined) return;
    const folder = posix.dirname(relative(root, source));
    for (const token of tokens) {
      const inside: boolean[] = [];
      token.children = (token.children ?? []).filter((child) => {
        if (child.type === "link_close") return inside.pop() ?? true;
        if (child.type !== "link_open") return true;
        const href = child.attrGet("href") ?? "";
        const target = resolved(folder, href);
        if (target !== undefined) child.attrSet("href", target);
        inside.push(target !== undefined);
        return target !== undefined;
      });
    }
  });
}

/** The address on the site; undefined for a file that is not a page. */
function resolved(folder: string, href: string): string | undefined {
  if (/^(?:[a-z]+:|[#/])/.test(href)) return href;
  const [target = "", hash] = href.split("#");
  const page = pageOf(posix.join(folder, decodeURI(target)));
  return page === undefined ? undefined : page + (hash === undefined ? "" : `#${hash}`);
}
