import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/**
 * What the page may do: run its own scripts and its own WebAssembly, and fetch its own files. It is said by the page itself,
 * because a static host may not let one set headers, and by the preview's headers, because a worker has only those.
 */
export const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: policy }, injectTo: "head-prepend" },
  ],
};

/** The licences of what the page carries, which ask to go along. */
const licences: Plugin = {
  name: "licences",
  apply: "build",
  generateBundle() {
    const packages = ["preact", "uplot", "@fontsource-variable/geist", "@fontsource-variable/geist-mono"];
    const texts = packages.map((name) => {
      const text = readFileSync(
        new URL(`node_modules/${name}/LICENSE`, `file://${this.environment.config.root}/`),
        "utf8",
      );
      return `${name}\n\n${text.trim()}\n`;
    });
    this.emitFile({ type: "asset", fileName: "licences.txt", source: texts.join("\n\n") });
  },
};

export default defineConfig({
  // The page can lie in any folder of a server.
  base: "./",
  build: { outDir: "site", target: "es2023", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: "es" },
  preview: { port: 4173, headers: { "Content-Security-Policy": policy } },
  plugins: [contentSecurityPolicy, licences],
});
