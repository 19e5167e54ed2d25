// The Markdown files of the repository that are pages, and their addresses.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository: of the folder of this file, or of its bundle in `.vitepress`. */
export const root = rootOf(dirname(fileURLToPath(import.meta.url)));

function rootOf(folder: string): string {
  return existsSync(join(folder, "pnpm-workspace.yaml")) ? folder : rootOf(dirname(folder));
}

/** Files in a folder of the site, by a pattern of their path in the repository. */
const addresses: readonly (readonly [pattern: RegExp, address: string])[] = [
  [/^docs\/(.+)$/, "$1"],
  [/^README\.md$/, "readme.md"],
  [/^(ARCHITECTURE|CHANGELOG|CONTRIBUTING|SECURITY)\.md$/, "project/$1.md"],
  [/^bench\/results\/(.+)$/, "performance/$1"],
  [/^(examples|packages)\/(\w[\w-]*)\/README\.md$/, "$1/$2.md"],
  [/^apps\/(\w+)\/README\.md$/, "project/$1.md"],
  [/^test\/(\w+)\/README\.md$/, "project/$1.md"],
];

/** The address of a file as a path that ends in `.md`, or undefined if the file is not a page. */
export function addressOf(file: string): string | undefined {
  for (const [pattern, address] of addresses) {
    if (pattern.test(file))
      return file.replace(pattern, address).replace(/^project\/[A-Z]+/, (name) => name.toLowerCase());
  }
  return undefined;
}

/** The page of a link from one file of the repository to another, or undefined if its target has none. */
export function pageOf(target: string): string | undefined {
  const file = [target, posix.join(target, "index.md"), posix.join(target, "README.md")].find(
    (path) => path.endsWith(".md") && existsSync(join(root, path)),
  );
  const address = file === undefined ? undefined : addressOf(file);
  return address === undefined ? undefined : `/${address.replace(/(?:^|(?<=\/))index\.md$/, "").replace(/\.md$/, "")}`;
}

/** The first heading of a page, without marks. */
export function titleOf(file: string): string {
  const [, title = file] = /^# (.+)$/m.exec(readFileSync(join(root, file), "utf8")) ?? [];
  return title.replaceAll("`", "");
}

/** The pages of a folder in the order of their names, without its index. */
export function pagesIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md") && name !== "index.md")
    .map((name) => `${folder}/${name}`);
}
