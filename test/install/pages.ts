// The rows of pages, which train in Chromium, and of Next.js.

import { join } from "node:path";
import type { Result } from "./machine.js";
import { esm, trained } from "./programs.js";
import type { Tool } from "./tools.js";

const node = process.execPath;
const openPage = [node, join(import.meta.dirname, "open-page.js")];

/** The program for a page: it waits for the engine. */
const page = esm.replace("import { engine }", "import { engine, ready }").replace(/^(?=seed\()/m, "await ready();\n");
const inline = esm.replaceAll('"@stepwell/sdk"', '"@stepwell/sdk/inline"');
const html = '<!doctype html><link rel="icon" href="data:," /><script type="module" src="./main.js"></script>';
const files = { "index.html": html, "main.js": page };

/** The advice of a bundle that finds neither engine, in docs/guides/bundlers.md. */
const sentence = /stepwell\.wasm does not exist\. Make @stepwell\/sdk external for the bundler, or copy /;

function expectPage({ status, stdout, stderr }: Result): string {
  if (status === 0 && stdout === trained("wasm")) return "0 1 1 0 on wasm";
  throw new Error(`expected ${JSON.stringify(trained("wasm"))}, given exit code ${status}\n${stdout}\n${stderr}`);
}

/** Pages that a bundler builds, and pages that Vite serves while they are written. */
export function pages(tools: string): readonly Tool[] {
  const webpack = `
    const webpack = require(${JSON.stringify(join(tools, "webpack"))});
    const output = { path: __dirname, filename: "main.js", clean: false };
    webpack({ mode: "production", context: __dirname, entry: "../main.js", output }, (error, stats) => {
      if (!error && !stats.hasErrors()) return;
      console.error(String(error ?? stats.toString("errors-warnings")));
      process.exitCode = 1;
    });
  `;
  const esbuild = [join(tools, "esbuild/bin/esbuild"), "main.js", "--bundle", "--log-level=error"];
  const vites = ["vite", "vite-7"].flatMap((name) => {
    const vite = [node, join(tools, name, "bin/vite.js")];
    // Before version 8 the server of Vite moves scripts away from their files.
    const optimizeDeps = name === "vite" ? {} : { exclude: ["@stepwell/sdk", "@stepwell/wasm"] };
    const config = {
      "vite.config.mjs": `export default ${JSON.stringify({ build: { target: "es2022" }, optimizeDeps })};`,
    };
    const words = name === "vite" ? "Vite" : "Vite 7";
    return [
      {
        words: [words, "page, built"],
        files: { ...files, ...config },
        commands: [
          [...vite, "build", "--logLevel", "error"],
          [...openPage, "", "dist"],
        ],
        expect: expectPage,
      },
      {
        words: [words, "page, served"],
        files: { ...files, ...config },
        commands: [[...openPage, "", "--", ...vite, "--host", "127.0.0.1", "--port", "0"]],
        expect: expectPage,
      },
    ];
  });
  return [
    ...vites,
    {
      words: ["webpack", "page"],
      files: { "main.js": page, "page/index.html": html, "page/build.cjs": webpack },
      commands: [
        [node, "page/build.cjs"],
        [...openPage, "", "page"],
      ],
      expect: expectPage,
    },
    {
      words: ["esbuild", "page, inline"],
      files: { "main.js": inline, "page/index.html": html },
      commands: [
        [...esbuild, "--format=esm", "--outfile=page/main.js"],
        [...openPage, "", "page"],
      ],
      expect: expectPage,
    },
  ];
}

/** Pages of Next.js: a component of the server with and without the documented option, and a component of the client. */
export function next(tools: string): readonly Tool[] {
  const command = [node, join(tools, "next/dist/bin/next")];
  const layout = `
    export default function Layout({ children }) {
      return <html lang="en"><head><link rel="icon" href="data:," /></head><body>{children}</body></html>;
    }`;
  const client = `"use client";
    import { useEffect } from "react";
    export default function Page() {
      useEffect(() => { import("../main.js"); }, []);
      return null;
    }`;
  const server = `
    import * as stepwell from "@stepwell/sdk";
    const { engine, tensor } = stepwell;
    console.error("server: " + engine + " " + tensor(tensor([1, 2])));
    export default function Page() { return null; }`;
  // Next.js follows the links to the folder of tools, which has the modules of Next.js itself.
  const config = (external: boolean) =>
    `export default { ${external ? 'serverExternalPackages: ["@stepwell/sdk"], ' : ""}turbopack: { root: "/" } };`;
  const packages = ["next", "react", "react-dom"];
  const variables = { NEXT_TELEMETRY_DISABLED: "1" };
  const expectServer = ({ status, stdout, stderr }: Result) => {
    if (status === 0 && (stdout + stderr).includes("server: native 1,2")) return "native on the server";
    throw new Error(`expected the native engine, given exit code ${status}\n${stdout}\n${stderr}`);
  };
  // From a bundle, the package is looked for from the modules of Next.js, which are elsewhere here.
  const expectSentence = ({ status, stdout, stderr }: Result) => {
    if (status !== 0 && sentence.test(stdout + stderr)) return "the documented sentence, at build";
    throw new Error(`expected ${sentence}, given exit code ${status}\n${stdout}\n${stderr}`);
  };
  return [
    ...[true, false].map((external) => ({
      words: ["Next.js", external ? "server, external package" : "server, package in the bundle"],
      packages,
      files: { "app/layout.jsx": layout, "app/page.jsx": server, "next.config.mjs": config(external) },
      commands: [[...command, "build"]],
      variables,
      expect: external ? expectServer : expectSentence,
    })),
    {
      words: ["Next.js", "client"],
      packages,
      files: { "app/layout.jsx": layout, "app/page.jsx": client, "main.js": page, "next.config.mjs": config(true) },
      commands: [
        [...command, "build"],
        [...openPage, "", "--", ...command, "start", "--port", "0"],
      ],
      variables,
      expect: ({ status, stdout, stderr }: Result) => {
        const result = { status, stdout: stdout.split("\n").slice(-3).join("\n"), stderr };
        return expectPage(result);
      },
    },
  ];
}

/** A bundle of esbuild that is moved to a folder without packages. */
export function moved(tools: string): readonly Tool[] {
  const esbuild = [join(tools, "esbuild/bin/esbuild"), "train.mjs", "--bundle", "--platform=node", "--log-level=error"];
  return ["cjs", "esm"].map((format) => {
    const bundle = `program.${format === "cjs" ? "cjs" : "mjs"}`;
    return {
      words: ["esbuild for Node", `${format}, moved elsewhere`],
      files: {
        "move.mjs": `
          import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
          import { tmpdir } from "node:os";
          import { join } from "node:path";
          import { spawnSync } from "node:child_process";
          const folder = mkdtempSync(join(tmpdir(), "moved-"));
          copyFileSync("out/${bundle}", join(folder, "${bundle}"));
          const { stderr } = spawnSync(process.execPath, ["${bundle}"], { cwd: folder, encoding: "utf8" });
          rmSync(folder, { recursive: true });
          console.log(stderr);`,
      },
      commands: [
        [...esbuild, `--format=${format}`, `--outfile=out/${bundle}`],
        [node, "move.mjs"],
      ],
      expect: ({ stdout, stderr }: Result) => {
        if (sentence.test(stdout)) return "the documented sentence";
        throw new Error(`expected ${sentence}, given\n${stdout}\n${stderr}`);
      },
    };
  });
}

/** Jest with the environment of a page. */
export function jsdom(tools: string): readonly Tool[] {
  const config = {
    testEnvironment: join(tools, "jest-environment-jsdom"),
    testEnvironmentOptions: { customExportConditions: ["node", "node-addons"] },
    testMatch: ["**/train.test.cjs"],
  };
  const test = `
    test("trains", () => {
      expect(typeof document).toBe("object");
      const lines = [];
      jest.spyOn(console, "log").mockImplementation((line) => lines.push(line));
      require("./train.cjs");
      expect(lines).toEqual(${JSON.stringify(trained("native").trimEnd().split("\n"))});
    });`;
  return [
    {
      words: ["Jest", "CommonJS, jsdom"],
      files: { "train.test.cjs": test, "jest.config.json": JSON.stringify(config) },
      commands: [[node, join(tools, "jest/bin/jest.js"), "--testTimeout", "600000"]],
      expect: ({ status, stdout, stderr }: Result) => {
        if (status === 0 && /Tests:?\s+1 passed/.test(stdout + stderr)) return "0 1 1 0 on native";
        throw new Error(`expected one test that passes, given exit code ${status}\n${stdout}\n${stderr}`);
      },
    },
  ];
}
