// Installs the packages into projects as users do, runs a training in each, and prints a table of how each ended.
//
// node test/dist/install/main.js TOOLS [text…]: TOOLS is the folder of modules that `installTools` returns. Texts choose the rows
// that contain one of them.

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { platform } from "@stepwell/native/libtorch";
import { commandLineRows } from "./command-line.js";
import { exampleRows } from "./examples.js";
import { run } from "./machine.js";
import { install, type ManagerName, managerNames, type Project } from "./managers.js";
import { platformRows } from "./platforms.js";
import { programs, root } from "./programs.js";
import { startRegistry } from "./registry.js";
import { expectTraining, nodeRows, type Row } from "./rows.js";
import { toolRows } from "./tools.js";

const [tools = "", ...wanted] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "stepwell-install-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

type Pack = (folder: string, options?: { registry?: boolean }) => Promise<readonly string[]>;
type PackLibtorch = (folder: string, options: { registry: boolean; platforms: readonly string[] }) => Promise<void>;
const script = (name: string) => import(pathToFileURL(join(root, "scripts", name)).href);
const { packTarballs }: { packTarballs: Pack } = await script("pack.mjs");
const tarballs = await packTarballs(join(folder, "tarballs"));
const served = await packTarballs(join(folder, "served"), { registry: true });
const registry = await startRegistry(join(folder, "registry"), tools, served);

/** A project that is made at its first use. */
function project(manager: ManagerName, source: "tarballs" | "registry"): () => Project {
  let made: Project | undefined;
  const path = join(folder, `${manager}-${source}`.replaceAll(/[^\w-]/g, ""));
  return () => {
    made ??=
      source === "tarballs"
        ? install(path, manager, tarballs, { tools })
        : install(path, manager, ["@stepwell/sdk"], { tools, registry: registry.url });
    return made;
  };
}

const projects = new Map(managerNames.map((manager) => [manager, project(manager, "tarballs")]));
const nodes = ["20", "22", "24"].map((version) => [`Node ${version}`, join(tools, `node-${version}`, "bin", "node")]);

const rows: Row[] = [];
for (const [version = "", node = ""] of nodes) {
  for (const manager of ["npm", "pnpm"] as const) {
    rows.push(...nodeRows([version, `${manager}, tarballs`], () => [node], projects.get(manager) as () => Project));
  }
}
for (const manager of managerNames.slice(2)) {
  const made = projects.get(manager) as () => Project;
  rows.push(...nodeRows(["this Node", `${manager}, tarballs`], () => made().node, made, ["ESM"]));
}
for (const manager of managerNames) {
  const made = project(manager, "registry");
  rows.push(...nodeRows(["this Node", `${manager}, registry`], () => made().node, made, ["ESM"]));
}

const { packLibtorch }: { packLibtorch: PackLibtorch } = await script("platform-packages.mjs");

/** Projects that install @stepwell/libtorch as well, which is packed and published for the first of them. */
let libtorch: Promise<void> | undefined;
async function publishLibtorch(): Promise<void> {
  const target = join(folder, "libtorch");
  mkdirSync(target);
  await packLibtorch(target, { registry: true, platforms: [platform] });
  const tarballs = readdirSync(target).map((name) => join(target, name));
  registry.publish(tarballs.sort((a, b) => b.length - a.length));
}
for (const manager of ["npm", "pnpm"] as const) {
  const packages = ["@stepwell/sdk", "@stepwell/native", "@stepwell/libtorch"];
  rows.push({
    words: ["this Node", `${manager}, registry`, "ESM", "libtorch in a package"],
    check: async () => {
      libtorch ??= publishLibtorch();
      await libtorch;
      const made = install(join(folder, `${manager}-libtorch`), manager, packages, { tools, registry: registry.url });
      const result = run(process.execPath, [programs.ESM], made.folder, { libtorch: "absent" });
      return expectTraining(result, "there");
    },
  });
}

const npm = projects.get("npm") as () => Project;
rows.push(...toolRows(tools, npm), ...exampleRows(tools, nodes, npm));

/** The tarball of @stepwell/libtorch for a project that installs from files. */
async function libtorchTarball(): Promise<string> {
  const target = join(folder, "libtorch-files");
  mkdirSync(target);
  await packLibtorch(target, { registry: false, platforms: [platform] });
  return join(target, readdirSync(target)[0] ?? "");
}
rows.push(...commandLineRows({ folder, tarballs, libtorch: libtorchTarball }));
const packPlatform = (target: string, name: string) => packLibtorch(target, { registry: true, platforms: [name] });
rows.push(...platformRows(folder, join(folder, "served"), packPlatform));

const chosen = rows.filter(
  ({ words }) => wanted.length === 0 || wanted.some((text) => words.join(" | ").includes(text)),
);
const failures: string[] = [];
for (const { words, check } of chosen) {
  const line = words.join(" | ");
  try {
    console.log(`| ${line} | ${await check()} |`);
  } catch (error) {
    failures.push(`${line}: ${(error as Error).message}`);
    console.log(`| ${line} | FAILED |`);
  }
}
registry.close();
for (const failure of failures) console.error(`\n${failure}`);
console.error(`\n${chosen.length - failures.length} of ${chosen.length} rows are as expected.`);
process.exitCode = failures.length > 0 || chosen.length === 0 ? 1 : 0;
