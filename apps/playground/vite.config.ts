import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/**
 * The content security policy: the page may run its own scripts and WebAssembly, and fetch its own files. It is in the page
 * itself, since a static host may not allow headers. It is in the preview's headers too, since a worker has only those.
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
  // The page works in any folder of a server.
  base: "./",
  build: { outDir: "site", target: "es2023", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: "es" },
  preview: { port: 4173, headers: { "Content-Security-Policy": policy } },
  plugins: [contentSecurityPolicy, licences],
});
