// Builds the WebAssembly module and its JavaScript side, and puts them where packages/wasm looks for them.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { failure, platform, userFolder } from "../packages/native/libtorch.js";
import { bin, cargoEnvironment, main, root, run } from "./command.mjs";
import { named } from "./wasm-order.mjs";
import { target, wasmRust } from "./wasm-rust.mjs";

const built = join(root, "packages", "wasm", "built");

/** Every browser and Node of 2021 and later has these. wasm-opt's `--all-features` would make what Node 20 refuses. */
const features = [
  "simd",
  "bulk-memory",
  "nontrapping-float-to-int",
  "sign-ext",
  "mutable-globals",
  "reference-types",
  "multivalue",
];

/**
 * Where code is compiled for speed, loops become vectors, but nothing is copied in the hope that it may help: a function is
 * put into its callers where it is hardly longer than the call, or not much longer and asks for it, and no loop is unrolled for
 * a count that is not known. An address is computed from its index each time, which costs no time here.
 */
const small = [
  "inline-threshold=8",
  "inlinehint-threshold=80",
  "unroll-runtime=false",
  "force-vector-interleave=1",
  "disable-lsr",
].map((option) => `-Cllvm-args=-${option}`);

/**
 * What wasm-opt does. Functions that differ in a few constants become one. All but the first four and the last two make the
 * module larger by a hundredth, and what gzip makes of it smaller by a twentieth: gzip finds what stands within 32 kB before. No function is put into its only caller, where it would
 * look like nothing else; data keeps its zeros, since a segment for each part between them is more; a value is computed again
 * where that looks like what was there; and no access to memory tells how it is aligned, which engines do not ask. The end of
 * the stack is what lies in the first 1024 bytes, and a number below is no address that anything is added to.
 */
const smaller = [
  "--merge-similar-functions",
  "-Oz",
  "--converge",
  "--low-memory-unused",
  "--skip-pass=memory-packing",
  "--skip-pass=local-cse",
  "--one-caller-inline-max-function-size=0",
  "--dealign",
  "--strip-debug",
  "--strip-producers",
];

/** How functions get into the order of the names that they were given. The names go, and nothing else changes. */
const ordered = ["--reorder-functions-by-name", "--strip-debug"];

/** Memory may grow to 4 GiB less a page: the address behind its end must be a number of 32 bits. */
const mostMemory = 2 ** 32 - 2 ** 16;

/** Returns whether anything changed. Throws ERR_WASM_RUST where no compiler for WebAssembly can be had. */
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
    await optimize(smaller, join(folder, "engine_bg.wasm"), wasm);
    writeFileSync(wasm, named(readFileSync(wasm)));
    await optimize(ordered, wasm, wasm);
    mkdirSync(built, { recursive: true });
    rmSync(stamp, { force: true });
    const glue = readFileSync(join(folder, "engine.js"));
    const build = createHash("sha256").update(glue).update(readFileSync(wasm)).digest("hex").slice(0, 16);
    writeFileSync(wasm, Buffer.concat([readFileSync(wasm), customSection("stepwell", build)]));
    put(
      "engine.js",
      `${glue}\n/** Says in the module that this is its JavaScript. */\nexport const build = "${build}";\n`,
    );
    put("stepwell.wasm", readFileSync(wasm));
    put("inline.js", `export default "${readFileSync(wasm).toString("base64")}";\n`);
    put("stamp", state);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return true;
}

/** A custom section of a module. Its lengths are below 128, which one byte says. */
function customSection(name, text) {
  const content = Buffer.concat([Buffer.from([name.length]), Buffer.from(name + text)]);
  return Buffer.concat([Buffer.from([0, content.length]), content]);
}

async function optimize(passes, from, to) {
  const enabled = features.map((feature) => `--enable-${feature}`);
  await run(bin("wasm-opt"), [...passes, ...enabled, from, "-o", to], { quiet: true });
}

/** Has cargo build the module, and returns its path. */
async function compile({ env, flags }) {
  const rustflags = ["-Ctarget-feature=+simd128", `-Clink-arg=--max-memory=${mostMemory}`, ...small, ...flags];
  const command = ["build", "--profile", "wasm", "--locked", "--target", target, "-p", "stepwell-wasm"];
  const output = await run("cargo", [...command, "--message-format", "json-render-diagnostics"], {
    // This variable has the last word on flags, wherever the user's own may come from.
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

/** The program that writes the JavaScript side, built once for this user. */
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

/** Changes with the module and with everything that makes the package's files of it. */
function fingerprint(module) {
  const tool = join(root, "scripts", "wasm-bindgen");
  const optimizer = join(root, "node_modules", "binaryen", "package.json");
  const order = join(import.meta.dirname, "wasm-order.mjs");
  const tools = [join(tool, "Cargo.lock"), join(tool, "src", "main.rs"), optimizer, order, import.meta.filename];
  return hashOf([module, ...tools]);
}

function hashOf(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex");
}

/** Replaces a file by a rename, so that nobody reads half of one. */
function put(name, content) {
  const fresh = join(built, `${name}.${process.pid}`);
  writeFileSync(fresh, content);
  renameSync(fresh, join(built, name));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => console.log((await buildWasm()) ? "built" : "up to date"));
}
