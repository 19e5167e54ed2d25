// The command line as a user gets it: packed, and unpacked into an empty project.

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { libtorch } from "@stepwell/native";
import { pack, tarballOf } from "../packaging/packed.js";

/** Engines that a command runs on. */
export const engines = ["native", "wasm"] as const;

/** The end of a command. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project with the packages, in a new folder. */
export interface Project {
  readonly folder: string;
  /** The program `stepwell` of the package. */
  readonly program: string;
  /** Runs `stepwell` there; `engine` is the value of STEPWELL_ENGINE. */
  run(args: readonly string[], engine?: string, env?: NodeJS.ProcessEnv): Outcome;
  /** Runs Node there. */
  node(args: readonly string[], engine?: string, env?: NodeJS.ProcessEnv): Outcome;
  /** The environment of a command. */
  environment(engine?: string): NodeJS.ProcessEnv;
  remove(): void;
}

/** Packs the packages, and unpacks them into an empty project. Packages of others are copied, so that no registry is asked. */
export function installed(names: readonly string[] = ["stepwell", "cli", "sdk", "wasm", "native"]): Project {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "cli-")));
  const modules = join(folder, "node_modules");
  const tarballs = join(folder, "tarballs");
  pack(tarballs);
  for (const name of names) {
    const target = join(modules, name === "stepwell" ? "." : "@stepwell", name);
    mkdirSync(target, { recursive: true });
    execFileSync("tar", ["-xzf", tarballOf(tarballs, name), "-C", target, "--strip-components=1"]);
  }
  rmSync(tarballs, { recursive: true });
  const source = join(import.meta.dirname, "../../packages/cli");
  const { dependencies } = manifest(join(modules, "@stepwell", "cli"));
  for (const name of Object.keys(dependencies ?? {})) {
    if (!name.startsWith("@stepwell/")) copyDependency(name, source, modules);
  }
  const program = join(modules, "@stepwell", "cli", "bin", "stepwell.js");
  const environment = (engine = "") => {
    const { STEPWELL_ENGINE: _, ...rest } = process.env;
    return { ...rest, NODE_PATH: "", LIBTORCH: libtorch.path, ...(engine && { STEPWELL_ENGINE: engine }) };
  };
  const node: Project["node"] = (args, engine, env) => {
    const options = { cwd: folder, encoding: "utf8", env: { ...environment(engine), ...env } } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
    return { status, stdout, stderr: withoutPages(stderr) };
  };
  return {
    folder,
    program,
    environment,
    node,
    run: (args, engine, env) => node([program, ...args], engine, env),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** The output without the paths of pages, which each error of the command line has, and which exist. */
export function withoutPages(stderr: string): string {
  const lines = stderr.split("\n").map((line) => {
    const [, code] = /^stepwell: (ERR_\w+): /.exec(line) ?? [];
    if (code === undefined) return line;
    const [end = "", page = ""] = / \(see ([^()]+)\)$/.exec(line) ?? [];
    if (!page.endsWith(join("sdk", "docs", "errors", `${code}.md`)) || !existsSync(page)) {
      throw new Error(`expected the page of ${code}, given ${line}`);
    }
    return line.slice(0, -end.length);
  });
  return lines.join("\n");
}

type Manifest = { readonly dependencies?: Readonly<Record<string, string>> };
const manifest = (folder: string) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

function copyDependency(name: string, from: string, modules: string): void {
  let folder = from;
  while (!existsSync(join(folder, "node_modules", name))) {
    if (folder === dirname(folder)) throw new Error(`${name} is not installed`);
    folder = dirname(folder);
  }
  const source = realpathSync(join(folder, "node_modules", name));
  if (existsSync(join(modules, name))) return;
  cpSync(source, join(modules, name), { recursive: true });
  for (const needed of Object.keys(manifest(source).dependencies ?? {})) copyDependency(needed, source, modules);
}
