// Makes a folder that runs the tests and the benchmark of a GPU on another machine. That machine is Linux x64 with a torch of
// Python, and needs neither a network nor Node. `npm run test:gpu` runs the folder on this machine.

import { spawn } from "node:child_process";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { failure, platform } from "../packages/native/libtorch.js";
import { root, run } from "./command.mjs";

/** In bytes, 60 MiB: a machine that is lent for a run takes 64 MiB, and the results need some of it. */
const maxBytes = 60 * 2 ** 20;

/** Folders of tests. Each holds data, which a compiled test looks for in its own folder. */
const tests = ["contract", "gpu", "parity", "random-operations", "transcript"];
const data = /\.(?:json|txt|safetensors)$/;
/** Files of the SDK that tests read, besides the entries: sources of its tables. */
const sdk = ["package.json", "import", "commonjs", "src/generated"];

/** Packages from npm that the tests import. */
const dependencies = ["@vitest/expect", "@vitest/runner", "chai", "fast-check"];

/** Examples that the tests import, as packages, with the files that each needs to run. */
const examples = { gpt: ["package.json", "dist", "coriolanus.txt"] };

/** Fills the folder, which must be empty or an older one of this kind. With `node`, this Node is packed as well. */
export async function packFolder(folder, { node = true } = {}) {
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, "run.sh"))) {
    throw failure("ERR_USAGE", `npm run pack-gpu: ${folder} has other files: name an empty folder.`);
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyPackages(folder);
  copyTests(folder);
  copyBench(folder);
  for (const name of dependencies) copyDependency(name, join(root, "test"), join(folder, "node_modules"));
  copyExamples(join(folder, "node_modules"));
  checkImports(folder);
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }\n');
  cpSync(join(root, "test/gpu/run.sh"), join(folder, "run.sh"));
  if (node) await compress(process.execPath, join(folder, "node.xz"));
}

/** The packages as they are in the repository, and entries under their names that Node finds. */
function copyPackages(folder) {
  const native = JSON.parse(readFileSync(join(root, "packages/native/package.json"), "utf8"));
  const addon = join("addon", platform);
  for (const file of [
    "package.json",
    ...native.files.filter((name) => name !== "addon" && !name.startsWith("!")),
    addon,
  ]) {
    copy(join("packages/native", file), folder);
  }
  for (const file of sdk)
    copy(join("packages/sdk", file), folder, (path) => !/[\\/]commonjs[\\/]dist[\\/]wasm/.test(path));
  const entries = join(folder, "node_modules", "@stepwell");
  const packages = "../../../packages";
  write(join(entries, "native"), {
    "package.json": '{ "name": "@stepwell/native", "type": "commonjs", "main": "index.js" }\n',
    "index.js": `module.exports = require("${packages}/native/index.js");\n`,
  });
  write(join(entries, "sdk"), {
    "package.json": '{ "name": "@stepwell/sdk", "exports": { "import": "./index.mjs", "default": "./index.cjs" } }\n',
    "index.mjs": `export * from "${packages}/sdk/import/index.mjs";\n`,
    "index.cjs": `module.exports = require("${packages}/sdk/commonjs/dist/node/index.js");\n`,
  });
}

/** Compiled tests, with their data in the same folders. */
function copyTests(folder) {
  const target = join(folder, "test");
  for (const name of tests) {
    cpSync(join(root, "test/dist", name), join(target, name), { recursive: true, filter: isRun });
    const isData = (path) => statSync(path).isDirectory() || data.test(path);
    cpSync(join(root, "test", name), join(target, name), { recursive: true, filter: isData });
  }
  for (const name of readdirSync(join(root, "test/dist")).filter((name) => name.endsWith(".js")))
    cpSync(join(root, "test/dist", name), join(target, name));
}

function copyBench(folder) {
  copy("bench/dist", folder);
  for (const name of ["gpu.py", "pytorch.py"]) copy(join("bench/children", name), folder);
}

function copyExamples(target) {
  for (const [name, files] of Object.entries(examples)) {
    const from = join(root, "examples", name);
    const { name: imported } = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));
    for (const file of files)
      cpSync(join(from, file), join(target, imported, file), { recursive: true, filter: isRun });
  }
}

/** Throws if a test imports a package that is not in the folder: on the machine with the GPU its file would fail. */
function checkImports(folder) {
  const files = readdirSync(join(folder, "test"), { recursive: true }).filter((file) => file.endsWith(".js"));
  for (const file of files) {
    const text = readFileSync(join(folder, "test", file), "utf8");
    for (const [, name] of text.matchAll(
      /^(?:import|export)\b(?:[^;"]*\bfrom)? "((?:@[^/"]+\/)?[^./"][^/"]*)[^"]*";$/gm,
    )) {
      // The tests get the replacement of vitest from test/gpu/resolve.ts.
      if (name === "vitest" || name.startsWith("node:") || existsSync(join(folder, "node_modules", name))) continue;
      throw failure("ERR_SETUP", `test/${file} imports ${name}, which npm run pack-gpu does not pack.`);
    }
  }
}

/** Files that run: neither maps nor what the compiler keeps for itself. */
const isRun = (path) => !/\.(?:map|tsbuildinfo)$/.test(path);

function copy(path, folder, filter = () => true) {
  const from = join(root, path);
  if (!existsSync(from)) throw failure("ERR_SETUP", `${from} does not exist: run "npm run setup".`);
  cpSync(from, join(folder, path), { recursive: true, filter: (file) => isRun(file) && filter(file) });
}

function write(folder, files) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

/** Copies a package and those that it depends on, side by side. */
function copyDependency(name, from, target) {
  const source = folderOf(name, from);
  const { dependencies = {}, version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  const to = join(target, name);
  if (existsSync(to)) {
    const other = JSON.parse(readFileSync(join(to, "package.json"), "utf8")).version;
    if (other !== version)
      throw failure("ERR_SETUP", `${name} is needed as ${version} and as ${other}: one folder has only one.`);
    return;
  }
  cpSync(source, to, { recursive: true, filter: (path) => isRun(path) && !/\.d\.[cm]?ts$/.test(path) });
  for (const needed of Object.keys(dependencies)) {
    if (!needed.startsWith("@types/")) copyDependency(needed, source, target);
  }
}

/** The real folder of a package, as Node finds it from another one. */
function folderOf(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, "node_modules", name);
    if (existsSync(path)) return realpathSync(path);
    if (folder === dirname(folder)) throw failure("ERR_SETUP", `${name} is not installed: run "npm run setup".`);
  }
}

/** Compresses a file with xz: Node becomes a quarter of its size, in about 20 seconds. */
async function compress(from, to) {
  const output = openSync(to, "w");
  const child = spawn("xz", ["-6", "--threads=0", "--stdout", from], { stdio: ["ignore", output, "inherit"] });
  const status = await new Promise((fulfil, reject) => {
    child.on("error", (error) => reject(failure("ERR_COMMAND", `xz cannot be started: ${error.message}.`)));
    child.on("close", fulfil);
  });
  closeSync(output);
  if (status !== 0) throw failure("ERR_COMMAND", `xz ended with exit code ${status}.`);
}

/** The sizes of the largest parts of a folder in bytes, and of all of it. */
export function sizes(folder) {
  const size = (path) => {
    if (!statSync(path).isDirectory()) return statSync(path).size;
    return readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0);
  };
  const parts = ["node_modules", "test", "packages", "."].flatMap((parent) =>
    readdirSync(join(folder, parent)).map((name) => join(folder, parent, name)),
  );
  const split = new Set(["node_modules", "test", "packages"]);
  const rows = parts.map((path) => [relative(folder, path), size(path)]).filter(([name]) => !split.has(name));
  return { total: size(folder), largest: rows.sort(([, a], [, b]) => b - a).slice(0, 6) };
}

const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** The command `npm run pack-gpu folder`. */
export async function packGpu(args) {
  const options = args.filter((arg) => arg.startsWith("-"));
  const folders = args.filter((arg) => !arg.startsWith("-"));
  const unknown = options.find((option) => option !== "--without-node") ?? folders[1];
  if (unknown || folders.length === 0) {
    throw failure("ERR_USAGE", `npm run pack-gpu: expected one folder and --without-node, given "${args.join(" ")}".`);
  }
  if (platform !== "linux-x64")
    throw failure("ERR_PLATFORM", `npm run pack-gpu: the folder is for linux-x64, and this is ${platform}.`);
  const folder = resolve(process.env.INIT_CWD ?? ".", folders[0]);
  await packFolder(folder, { node: options.length === 0 });
  const { total, largest } = sizes(folder);
  for (const [name, bytes] of largest) console.log(`${mebibytes(bytes).padStart(10)}  ${name}`);
  console.log(`${mebibytes(total).padStart(10)}  ${folder}`);
  if (total > maxBytes)
    throw failure(
      "ERR_SIZE",
      `npm run pack-gpu: the folder takes ${mebibytes(total)}, and ${mebibytes(maxBytes)} are allowed.`,
    );
  console.log(`\nCopy it to the machine and run: bash run.sh`);
}

/** The command `npm run test:gpu`: makes the folder in .gpu and runs it here. Its exit code says whether all parts passed. */
export async function testGpu(args) {
  const folder = join(root, ".gpu");
  await packFolder(folder, { node: false });
  try {
    await run(process.execPath, [join(folder, "test/gpu/main.js"), "--out", folder, ...args]);
  } catch (error) {
    if (!error.status) throw error;
    process.exitCode = error.status;
  }
}
