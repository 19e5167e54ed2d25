// Builds the WebAssembly module and its JavaScript into packages/wasm/built.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { failure, platform, userFolder } from "../packages/native/libtorch.js";
import { bin, cargoEnvironment, main, root, run } from "./command.mjs";
import { withMarkedWords } from "./wasm-data.mjs";
import { familiesOf } from "./wasm-families.mjs";
import { withNumberedImports } from "./wasm-imports.mjs";
import { renumbered } from "./wasm-locals.mjs";
import { named } from "./wasm-order.mjs";
import { target, wasmRust } from "./wasm-rust.mjs";

const built = join(root, "packages", "wasm", "built");

/** Features of every browser and Node since 2021. With `--all-features` wasm-opt would write a module that Node 20 rejects. */
const enabledFeatures = [
  "simd",
  "bulk-memory",
  "nontrapping-float-to-int",
  "sign-ext",
  "mutable-globals",
  "reference-types",
  "multivalue",
].map((feature) => `--enable-${feature}`);

/**
 * Flags of LLVM for the crates that are compiled for speed: loops are vectorized, but code is not duplicated.
 *
 * Functions are inlined only if the body is hardly longer than the call, or little longer with an inline hint. Loops of unknown
 * count are not unrolled. Addresses are computed from the index in each iteration, which costs no time in WebAssembly. Constants
 * are not moved out of loops into locals, which saves .8 kB after gzip and costs no time either.
 */
const sizeFlags = [
  "inline-threshold=8",
  "inlinehint-threshold=80",
  "unroll-runtime=false",
  "force-vector-interleave=1",
  "disable-lsr",
  "disable-machine-licm",
].map((option) => `-Cllvm-args=-${option}`);

/**
 * Passes of wasm-opt, chosen for the size after gzip. Functions that differ in a few constants are merged.
 *
 * The options from `--skip-pass=memory-packing` to `--dealign` enlarge the module by 1 %, but reduce its gzip size by 5 %. They
 * keep code repetitive, and gzip finds repetitions within 32 KiB:
 *
 * - Data keeps its zeros, instead of a segment for each part between them.
 * - A value is computed again instead of being stored in a local.
 * - A function of more than 30 expressions is not inlined into its only caller.
 * - Accesses to memory state no alignment.
 *
 * `--low-memory-unused` holds since the first 1024 bytes are the end of the stack: a smaller number is not an address.
 */
const optimizerPasses = [
  "--merge-similar-functions",
  "-Oz",
  "--converge",
  "--low-memory-unused",
  "--skip-pass=memory-packing",
  "--skip-pass=local-cse",
  "--one-caller-inline-max-function-size=30",
  "--dealign",
  "--strip-producers",
  "--debuginfo",
];

/** Removes the names of functions, which the bytes by family need. */
const stripPasses = ["--strip-debug"];

/** Passes that sort functions by their names, and remove the names. */
const orderPasses = ["--reorder-functions-by-name", "--strip-debug"];

/**
 * In bytes: 896 KiB. Data follows the stack, and addresses below 1 MiB take a byte less in the code, which is .4 kB after gzip.
 * Rust's default is 1 MiB.
 */
const stackSize = 896 * 2 ** 10;

/** In bytes: 4 GiB less a page, so that the address after the last byte fits in 32 bits. */
const maxMemory = 2 ** 32 - 2 ** 16;

/** Returns whether anything changed. Throws ERR_WASM_RUST if there is no compiler for WebAssembly. */
export async function buildWasm(log = console.error) {
  const module = await compile(await wasmRust(log));
  const stamp = join(built, "stamp");
  const state = fingerprint(module);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === state) return false;

  log("wasm: writing the module");
  const folder = mkdtempSync(join(tmpdir(), "stepwell-wasm-"));
  try {
    await run(await bindgen(log), [module, folder], { quiet: true });
    const wasm = join(folder, "stepwell.wasm");
    await optimize(optimizerPasses, join(folder, "engine_bg.wasm"), wasm);
    const families = familiesOf(readFileSync(wasm));
    await optimize(stripPasses, wasm, wasm);
    await markWords(wasm, folder);
    writeFileSync(wasm, named(readFileSync(wasm)));
    await optimize(orderPasses, wasm, wasm);
    const glue = readFileSync(join(folder, "engine.js"), "utf8");
    const numbered = withNumberedImports({ wasm: renumbered(readFileSync(wasm)), script: glue });
    const build = createHash("sha256").update(numbered.script).update(numbered.wasm).digest("hex").slice(0, 16);
    const stamped = Buffer.concat([numbered.wasm, customSection("stepwell", build)]);
    mkdirSync(built, { recursive: true });
    rmSync(stamp, { force: true });
    replaceFile(
      "engine.js",
      `${numbered.script}\n/** Says in the module that this is its JavaScript. */\nexport const build = "${build}";\n`,
    );
    replaceFile("stepwell.wasm", stamped);
    replaceFile("families.json", `${JSON.stringify(families, undefined, 2)}\n`);
    replaceFile("inline.js", `export default "${stamped.toString("base64")}";\n`);
    // The CommonJS copy of engine.js, for Node.
    await run(bin("tsc"), ["--build", join(root, "packages", "wasm")], { quiet: true });
    replaceFile("stamp", state);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return true;
}

/** A custom section of a module. Its lengths are below 128, which is one byte in LEB128. */
function customSection(name, text) {
  const content = Buffer.concat([Buffer.from([name.length]), Buffer.from(name + text)]);
  return Buffer.concat([Buffer.from([0, content.length]), content]);
}

async function optimize(passes, from, to) {
  await run(bin("wasm-opt"), [...passes, ...enabledFeatures, from, "-o", to], { quiet: true });
}

/** Marks words of the data of a module, which gets the start function that restores them. */
async function markWords(wasm, folder) {
  const { marked, start } = withMarkedWords(readFileSync(wasm));
  const [engine, restorer] = [join(folder, "engine.wasm"), join(folder, "start.wat")];
  writeFileSync(engine, marked);
  writeFileSync(restorer, start);
  const modules = [engine, "engine", restorer, "start"];
  await run(bin("wasm-merge"), [...modules, ...enabledFeatures, "-o", wasm], { quiet: true });
}

/** Has cargo build the module, and returns its path. */
async function compile({ env, flags }) {
  const link = [`-Clink-arg=--max-memory=${maxMemory}`, `-Clink-arg=-zstack-size=${stackSize}`];
  const rustflags = ["-Ctarget-feature=+simd128", ...link, ...sizeFlags, ...flags];
  const command = ["build", "--profile", "wasm", "--locked", "--target", target, "-p", "stepwell-wasm"];
  const output = await run("cargo", [...command, "--message-format", "json-render-diagnostics"], {
    // This variable overrides all other sources of flags.
    env: { ...cargoEnvironment(), ...env, CARGO_ENCODED_RUSTFLAGS: rustflags.join("\x1f") },
    capture: true,
  });
  const messages = output
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const message = messages.find((one) => one.reason === "compiler-artifact" && one.target.name === "stepwell_wasm");
  const file = message?.filenames.find((path) => path.endsWith(".wasm"));
  if (!file)
    throw failure("ERR_SETUP", "cargo built no module named stepwell_wasm: see [lib] in crates/wasm/Cargo.toml.");
  return file;
}

/** The path of scripts/wasm-bindgen, which is built once for a user and a version. */
async function bindgen(log) {
  const source = join(root, "scripts", "wasm-bindgen");
  const version = hashOf([join(source, "Cargo.lock"), join(source, "src", "main.rs")]).slice(0, 12);
  const folder = userFolder(`wasm-bindgen-${version}-${platform}`);
  const program = join(folder, "bin", `stepwell-wasm-bindgen${process.platform === "win32" ? ".exe" : ""}`);
  if (!existsSync(program)) {
    log("wasm: building the program that writes the module's JavaScript side");
    const scratch = mkdtempSync(join(tmpdir(), "stepwell-wasm-bindgen-"));
    const places = ["--path", source, "--root", folder, "--target-dir", scratch];
    try {
      await run("cargo", ["install", "--locked", ...places], { quiet: true, env: cargoEnvironment() });
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  return program;
}

/** A hash of the module and of all tools that make the files of the package from it. */
function fingerprint(module) {
  const tool = join(root, "scripts", "wasm-bindgen");
  const optimizer = join(root, "node_modules", "binaryen", "package.json");
  const names = [
    "wasm-binary.mjs",
    "wasm-data.mjs",
    "wasm-order.mjs",
    "wasm-locals.mjs",
    "wasm-families.mjs",
    "wasm-imports.mjs",
  ];
  const own = names.map((name) => join(import.meta.dirname, name));
  const tools = [join(tool, "Cargo.lock"), join(tool, "src", "main.rs"), optimizer, ...own, import.meta.filename];
  return hashOf([module, ...tools]);
}

function hashOf(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex");
}

/** Replaces a file by a rename, so that a reader sees a complete file. */
function replaceFile(name, content) {
  const fresh = join(built, `${name}.${process.pid}`);
  writeFileSync(fresh, content);
  renameSync(fresh, join(built, name));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => console.log((await buildWasm()) ? "built" : "up to date"));
}
