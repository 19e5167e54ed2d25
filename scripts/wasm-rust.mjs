// A Rust compiler for WebAssembly: the installed one, with a target that rustup adds, or Debian's. The standard library is
// built from its source, which makes a smaller module than the precompiled one.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { failure, userFolder } from "../packages/native/libtorch.js";
import { outputOf, run } from "./command.mjs";

export const target = "wasm32-unknown-unknown";

/** Packages of `debianRust`. The version of lld is the LLVM version of this compiler. */
const debianPackages = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
const debian = {
  rustc: "/usr/bin/rustc",
  cargo: "/usr/bin/cargo",
  library: "/usr/lib/rustlib/src/rust/library",
  linker: "/usr/bin/wasm-ld-22",
};

/**
 * The build of the standard library: for size, with panics that trap without formatting a message.
 *
 * `-Cpanic=immediate-abort` does that, but needs an unstable compiler and applies to every crate. Its effect on the library is
 * selected by this `cfg`, which only the library needs.
 */
const recipe = {
  manifest: '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n[profile.release]\nopt-level = "z"\n',
  options: ["--release", "-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size", "--target", target],
  rustflags: ["-Cembed-bitcode=yes", '--cfg=panic="immediate-abort"', "-Aexplicit_builtin_cfgs_in_flags"],
};

/** The environment and the flags of a compiler that builds for WebAssembly. */
export async function wasmRust(log) {
  const found = installed() ?? addedByRustup(log);
  return found ? await withBuiltLibrary(found, log) : await debianRust(log);
}

/** The installed compiler, if it has a standard library and a linker for WebAssembly. */
function installed() {
  const libraries = outputOf("rustc", ["--print", "target-libdir", "--target", target]);
  if (!libraries || !existsSync(libraries)) return undefined;
  // rustup's compiler includes a linker. Other installations need one on the path.
  const host = /^host: (.+)$/m.exec(outputOf("rustc", ["-vV"]) ?? "")?.[1] ?? "";
  const own = join(dirname(dirname(libraries)), host, "bin");
  const lld = readdirIfThere(own).find((name) => name.startsWith("rust-lld"));
  if (lld) return { libraries, linker: [`-Clinker=${join(own, lld)}`, "-Clinker-flavor=wasm-ld"] };
  const linker = ["wasm-ld", "wasm-ld-22"].find((name) => outputOf(name, ["--version"]) !== undefined);
  return linker && { libraries, linker: [`-Clinker=${linker}`] };
}

function addedByRustup(log) {
  if (outputOf("rustup", ["--version"]) === undefined) return undefined;
  log(`wasm: adding the target ${target} to this Rust`);
  return outputOf("rustup", ["target", "add", target], { timeout: 300_000 }) === undefined ? undefined : installed();
}

/** The flags of an installed compiler, with a standard library built from source; without source, with the precompiled one. */
async function withBuiltLibrary({ libraries, linker }, log) {
  const source = join(dirname(dirname(libraries)), "src", "rust", "library");
  try {
    if (!existsSync(source)) {
      log("wasm: adding the source of the standard library to this Rust");
      outputOf("rustup", ["component", "add", "rust-src"], { timeout: 300_000 });
    }
    const sysroot = await builtLibrary({ rustc: "rustc", cargo: "cargo" }, log);
    return { env: {}, flags: [`--sysroot=${sysroot}`, ...linker] };
  } catch (error) {
    log(`wasm: with the precompiled standard library, which makes the module larger. ${error.message}`);
    return { env: {}, flags: linker };
  }
}

/** Debian's compiler, with a standard library built from source: it has no precompiled one for WebAssembly. */
async function debianRust(log) {
  if (!hasDebianRust()) await installDebianRust(log);
  const sysroot = await builtLibrary({ ...debian, vendored: join(debian.library, "vendor") }, log);
  return { env: { RUSTC: debian.rustc }, flags: [`--sysroot=${sysroot}`, `-Clinker=${debian.linker}`] };
}

/** The sysroot with the standard library for a compiler, in this user's cache. Builds it if it is absent. */
async function builtLibrary(rust, log) {
  const release = outputOf(rust.rustc, ["-vV"])?.match(/^(?:release|commit-hash): (.+)$/gm);
  const version = release?.map((line) => line.split(" ")[1].slice(0, 12)).join("-");
  const how = createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 12);
  const sysroot = userFolder(`wasm-std-${version}-${how}`);
  const folder = join(sysroot, "lib", "rustlib", target, "lib");
  if (!existsSync(folder)) await buildStandardLibrary(rust, folder, log);
  return sysroot;
}

function hasDebianRust() {
  return Object.values(debian).every((path) => existsSync(path));
}

async function installDebianRust(log) {
  const command = ["install", "--yes", "--no-install-recommends", ...debianPackages];
  const advice = `install rustup and run "rustup target add ${target}", or, on Debian, "apt-get ${command.join(" ")}"`;
  const unable = (why) => failure("ERR_WASM_RUST", `No Rust here builds for WebAssembly, and ${why}: ${advice}.`);
  if (outputOf("rustup", ["--version"]) === undefined && outputOf("apt-get", ["--version"]) === undefined)
    throw unable("there is neither rustup nor apt-get");
  if (outputOf("apt-get", ["--version"]) === undefined) throw unable("rustup cannot fetch the target");
  if (process.getuid?.() !== 0) throw unable("rustup cannot fetch the target and apt-get needs an administrator");
  log(`wasm: installing ${debianPackages.join(", ")}`);
  try {
    await run("apt-get", ["update"], { quiet: true });
    await run("apt-get", command, { quiet: true, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  } catch (error) {
    throw unable(error.message.replace(/\.$/, ""));
  }
  if (!hasDebianRust()) throw unable("apt-get has installed another version");
}

/** Builds the standard library into `folder`, which becomes visible with one rename: complete or absent. */
async function buildStandardLibrary({ rustc, cargo, vendored }, folder, log) {
  log("wasm: building Rust's standard library for WebAssembly");
  const project = mkdtempSync(join(tmpdir(), "stepwell-wasm-std-"));
  try {
    mkdirSync(join(project, "src"));
    writeFileSync(join(project, "src", "lib.rs"), "#![no_std]\n");
    writeFileSync(join(project, "Cargo.toml"), recipe.manifest);
    const settings = vendored
      ? ['source.crates-io.replace-with="vendored"', `source.vendored.directory="${vendored}"`, "net.offline=true"]
      : [];
    const config = settings.flatMap((setting) => ["--config", setting]);
    const command = [...config, "build", "--manifest-path", join(project, "Cargo.toml"), ...recipe.options];
    const env = { ...process.env, RUSTC: rustc, RUSTC_BOOTSTRAP: "1", CARGO_TARGET_DIR: join(project, "target") };
    await run(cargo, command, {
      quiet: true,
      env: { ...env, CARGO_ENCODED_RUSTFLAGS: recipe.rustflags.join("\x1f") },
    });
    const built = join(project, "target", target, "release", "deps");
    const libraries = readdirSync(built).filter((name) => name.endsWith(".rlib") && !name.startsWith("libseed"));
    mkdirSync(dirname(folder), { recursive: true });
    const partial = mkdtempSync(`${folder}.partial-`);
    await Promise.all(libraries.map((name) => copyFile(join(built, name), join(partial, name))));
    renameSync(partial, folder);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

function readdirIfThere(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}
