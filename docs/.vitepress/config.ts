// The site of the documentation. Pages are the Markdown files of the repository, where they are.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { linksBetweenPages } from "../site/links.js";
import { addressOf, root } from "../site/pages.js";
import { sidebar } from "../site/sidebar.js";

export default defineConfig({
  title: "Stepwell",
  description: "Train models from TypeScript: optimizers with groups, schedules and exact state.",
  lang: "en",
  srcDir: root,
  srcExclude: [".*/**", "target/**", "**/node_modules/**", "**/dist/**", "**/dist-*/**"],
  outDir: fileURLToPath(new URL("../dist/www", import.meta.url)),
  cacheDir: fileURLToPath(new URL("../dist/cache", import.meta.url)),
  rewrites: (file) => addressOf(file) ?? file,
  lastUpdated: false,
  metaChunk: true,
  head: [
    ["meta", { name: "theme-color", content: "#f4f1ea", media: "(prefers-color-scheme: light)" }],
    ["meta", { name: "theme-color", content: "#0b1116", media: "(prefers-color-scheme: dark)" }],
    ["link", { rel: "icon", href: "/icon.svg", type: "image/svg+xml" }],
  ],
  markdown: {
    theme: { light: "github-light", dark: "github-dark-dimmed" },
    // Text without colours, under its own name.
    languages: ["output", "q"].map((name) => ({ name, scopeName: `text.${name}`, patterns: [], repository: {} })),
    config: linksBetweenPages,
  },
  themeConfig: {
    logo: "/icon.svg",
    nav: [
      { text: "Tutorial", link: "/tutorial" },
      { text: "Guides", link: "/guides/own-modules", activeMatch: "/guides/" },
      { text: "Reference", link: "/api/", activeMatch: "/(api|reference)/" },
      { text: "Errors", link: "/errors/", activeMatch: "/errors/" },
    ],
    sidebar: sidebar(),
    outline: { level: [2, 3] },
    search: { provider: "local" },
    docFooter: { prev: false, next: false },
  },
  vite: {
    configFile: false,
    publicDir: fileURLToPath(new URL("../../apps/playground/public", import.meta.url)),
    server: { watch: { ignored: ["**/target/**", "**/.libtorch/**"] } },
  },
});
