// The rows of compilers, bundlers, test runners and other runtimes. Each has a copy of a project that npm has made of tarballs.

import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Libtorch, libtorchs, type Result, run } from "./machine.js";
import type { Project } from "./managers.js";
import { jsdom, moved, next, pages } from "./pages.js";
import { commonJs, esm, root, trained } from "./programs.js";
import { expectTraining, type Row } from "./rows.js";

/** A row that writes files and runs commands in its project. The last command trains. */
export interface Tool {
  readonly words: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  /** Packages of the folder of tools that the project gets. */
  readonly packages?: readonly string[];
  readonly commands: readonly (readonly string[])[];
  readonly variables?: Readonly<NodeJS.ProcessEnv>;
  readonly libtorch?: Libtorch;
  readonly expect?: (result: Result, libtorch: Libtorch) => string;
}

const [, readmeConfig = ""] = /```json\n(.*?)```/s.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
/** Versions of TypeScript, the end of the names of their packages. */
export const typescripts = ["5.4", "5.6", "5.9", "7"] as const;

/** The options of TypeScript in the README. */
export const { compilerOptions } = JSON.parse(readmeConfig) as { readonly compilerOptions: object };

/** TypeScript with the options of the README and with declarations, so that names of inferred types are checked. */
function typescript(tools: string): readonly Tool[] {
  const resolutions: readonly (readonly [name: string, options: object])[] = [
    ["node16", { module: "node16" }],
    ["nodenext", { module: "nodenext" }],
    ["bundler", { module: "esnext", moduleResolution: "bundler" }],
  ];
  const config = (options: object) =>
    JSON.stringify({
      compilerOptions: { ...compilerOptions, declaration: true, noEmitOnError: true, types: [], ...options },
      files: ["program.ts"],
    });
  return typescripts.flatMap((version) => {
    const tsc = [process.execPath, join(tools, `typescript-${version}`, "bin", "tsc"), "-p", "."];
    const rows: readonly Tool[] = resolutions.map(([name, options]) => ({
      words: [`TypeScript ${version}`, name],
      files: { "program.ts": esm, "tsconfig.json": config(options) },
      commands: [tsc, [process.execPath, "program.js"]],
    }));
    const cts = config({ module: "nodenext" }).replace("program.ts", "program.cts");
    return [
      ...rows,
      {
        words: [`TypeScript ${version}`, "nodenext, CommonJS"],
        files: { "program.cts": esm, "tsconfig.json": cts },
        commands: [tsc, [process.execPath, "program.cjs"]],
      },
    ];
  });
}

/** Bundles for Node, which have the SDK in them and take the engine from the installed packages. */
function bundlers(tools: string): readonly Tool[] {
  const node = process.execPath;
  const vite = [node, join(tools, "vite/bin/vite.js"), "build", "--logLevel", "error", "--outDir", "out", "--ssr"];
  const esbuild = [join(tools, "esbuild/bin/esbuild"), "train.mjs", "--bundle", "--platform=node", "--log-level=error"];
  const webpack = (type: string) => `
    import { createRequire } from "node:module";
    import { join } from "node:path";
    const webpack = createRequire(import.meta.url)(${JSON.stringify(join(tools, "webpack"))});
    const isModule = ${JSON.stringify(type)} === "module";
    const settings = {
      mode: "production",
      target: "node20",
      context: import.meta.dirname,
      entry: "./train.mjs",
      experiments: { outputModule: isModule },
      output: {
        path: join(import.meta.dirname, "out"),
        filename: isModule ? "program.mjs" : "program.cjs",
        library: { type: ${JSON.stringify(type)} },
        module: isModule,
        chunkFormat: isModule ? "module" : "commonjs",
      },
    };
    webpack(settings, (error, stats) => {
      if (!error && !stats.hasErrors() && !stats.hasWarnings()) return;
      console.error(String(error ?? stats.toString("errors-warnings")));
      process.exitCode = 1;
    });
  `;
  return [
    {
      words: ["Vite", "SSR"],
      files: {},
      commands: [
        [...vite, "train.mjs"],
        [node, "out/train.js"],
      ],
    },
    {
      words: ["Vite", "SSR, packages in the bundle"],
      files: { "vite.config.mjs": "export default { ssr: { noExternal: true } };" },
      commands: [
        [...vite, "train.mjs"],
        [node, "out/train.js"],
      ],
    },
    {
      words: ["webpack for Node", "CommonJS"],
      files: { "webpack.mjs": webpack("commonjs2") },
      commands: [
        [node, "webpack.mjs"],
        [node, "out/program.cjs"],
      ],
    },
    {
      words: ["webpack for Node", "ESM"],
      files: { "webpack.mjs": webpack("module") },
      commands: [
        [node, "webpack.mjs"],
        [node, "out/program.mjs"],
      ],
    },
    {
      words: ["esbuild for Node", "CommonJS"],
      files: {},
      commands: [
        [...esbuild, "--format=cjs", "--outfile=out/program.cjs"],
        [node, "out/program.cjs"],
      ],
    },
    {
      words: ["esbuild for Node", "ESM"],
      files: {},
      commands: [
        [...esbuild, "--format=esm", "--outfile=out/program.mjs"],
        [node, "out/program.mjs"],
      ],
    },
  ];
}

/** A test that loads the program and compares its lines. `spy` is the object of the runner that makes spies. */
const testOf = (spy: string, load: string) => `
  test("trains", async () => {
    const lines = [];
    const log = ${spy}.spyOn(console, "log").mockImplementation((line) => lines.push(line));
    ${load};
    log.mockRestore();
    expect(lines).toEqual(${JSON.stringify(trained("native").trimEnd().split("\n"))});
  });
`;

/** The result of a test runner, which writes to either stream. */
function expectPass({ status, stdout, stderr }: Result): string {
  if (status === 0 && /Tests:?\s+1 passed/.test(stdout + stderr)) return "0 1 1 0 on native";
  throw new Error(`expected one test that passes, given exit code ${status}\n${stdout}\n${stderr}`);
}

function testRunners(tools: string): readonly Tool[] {
  const vitest = (pool: string) => [
    process.execPath,
    join(tools, "vitest/vitest.mjs"),
    ...["run", "--globals", "--pool", pool, "--testTimeout", "600000"],
  ];
  const jest = [process.execPath, join(tools, "jest/bin/jest.js"), "--rootDir", ".", "--testTimeout", "600000"];
  const esmTest = (spy: string) => testOf(spy, `await import("./train.mjs")`);
  return [
    ...["forks", "threads"].map((pool) => ({
      words: ["Vitest", pool],
      packages: ["vitest"],
      files: { "train.test.mjs": esmTest("vi") },
      commands: [vitest(pool)],
      variables: { NO_COLOR: "1" },
      expect: expectPass,
    })),
    {
      words: ["Jest", "CommonJS"],
      files: { "train.test.cjs": testOf("jest", `require("./train.cjs")`) },
      commands: [[...jest, "--testMatch", "**/train.test.cjs"]],
      expect: expectPass,
    },
    {
      words: ["Jest", "ESM"],
      files: { "train.test.mjs": `import { jest } from "@jest/globals";\n${esmTest("jest")}` },
      commands: [[...jest, "--testMatch", "**/train.test.mjs"]],
      variables: { NODE_OPTIONS: "--experimental-vm-modules" },
      expect: expectPass,
    },
  ];
}

function runtimes(tools: string): readonly Tool[] {
  const bun = [join(tools, "@oven/bun-linux-x64/bin/bun")];
  const deno = [join(tools, "@deno/linux-x64-glibc/deno"), "run", "--quiet", "--allow-all"];
  const programs = { ESM: { "program.mjs": esm }, CommonJS: { "program.cjs": commonJs } };
  return libtorchs.flatMap((libtorch) =>
    Object.entries({ Bun: bun, Deno: deno }).flatMap(([name, command]) =>
      Object.entries(programs).map(([form, files]) => ({
        words: [name, form, `libtorch ${libtorch}`],
        files,
        commands: [[...command, ...Object.keys(files)]],
        libtorch,
      })),
    ),
  );
}

/** The rows, each with a project of its own, which has the packages of `project`. */
export function toolRows(tools: string, project: () => Project): readonly Row[] {
  const all = [
    ...[...typescript(tools), ...bundlers(tools), ...moved(tools), ...pages(tools), ...next(tools)],
    ...[...testRunners(tools), ...jsdom(tools), ...runtimes(tools)],
  ];
  return all.map((tool) => ({ words: tool.words, check: () => runTool(tool, tools, project()) }));
}

function runTool(tool: Tool, tools: string, from: Project): string {
  const { words, files, packages = [], commands, variables = {}, libtorch = "there" } = tool;
  const folder = join(dirname(from.folder), words.join("-").replaceAll(/[^\w.-]/g, ""));
  cpSync(from.folder, folder, { recursive: true });
  for (const name of packages) symlinkSync(join(tools, name), join(folder, "node_modules", name));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }

  let result: Result = { status: 0, stdout: "", stderr: "" };
  for (const [command = "", ...args] of commands) {
    if (result.status !== 0) break;
    result = run(command, args, folder, { libtorch, variables });
  }
  return (tool.expect ?? expectTraining)(result, libtorch);
}
