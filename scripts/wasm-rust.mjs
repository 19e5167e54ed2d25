// A Rust that builds for WebAssembly: the one that is here, with the target that rustup has for it; or Debian's, with a
// standard library built from its source.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { failure, userFolder } from "../packages/native/libtorch.js";
import { ask, run } from "./command.mjs";

export const target = "wasm32-unknown-unknown";

/** What `debianRust` needs. lld is of the version of LLVM that this compiler has. */
const debianPackages = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
const debian = {
  rustc: "/usr/bin/rustc",
  cargo: "/usr/bin/cargo",
  library: "/usr/lib/rustlib/src/rust/library",
  linker: "/usr/bin/wasm-ld-22",
};

/** The environment and the flags of a compiler that builds for WebAssembly. */
export async function wasmRust(log) {
  return installed() ?? addedByRustup(log) ?? (await debianRust(log));
}

function installed() {
  const folder = ask("rustc", ["--print", "target-libdir", "--target", target]);
  if (!folder || !existsSync(folder)) return undefined;
  // rustup's compiler brings a linker; others name one that they do not bring.
  const host = /^host: (.+)$/m.exec(ask("rustc", ["-vV"]) ?? "")?.[1] ?? "";
  const own = join(dirname(dirname(folder)), host, "bin");
  if (readdirIfThere(own).some((name) => name.startsWith("rust-lld"))) return { env: {}, flags: [] };
  const linker = ["wasm-ld", "wasm-ld-22"].find((name) => ask(name, ["--version"]) !== undefined);
  return linker && { env: {}, flags: [`-Clinker=${linker}`] };
}

function addedByRustup(log) {
  if (ask("rustup", ["--version"]) === undefined) return undefined;
  log(`wasm: adding the target ${target} to this Rust`);
  return ask("rustup", ["target", "add", target], { timeout: 300_000 }) === undefined ? undefined : installed();
}

/** Debian's compiler with a standard library of our own, in this user's cache. */
async function debianRust(log) {
  if (!hasDebianRust()) await installDebianRust(log);
  const release = ask(debian.rustc, ["-vV"])?.match(/^(?:release|commit-hash): (.+)$/gm);
  const version = release?.map((line) => line.split(" ")[1].slice(0, 12)).join("-");
  const sysroot = userFolder(`wasm-std-${version}`);
  const folder = join(sysroot, "lib", "rustlib", target, "lib");
  if (!existsSync(folder)) await buildStandardLibrary(folder, log);
  return { env: { RUSTC: debian.rustc }, flags: [`--sysroot=${sysroot}`, `-Clinker=${debian.linker}`] };
}

function hasDebianRust() {
  return Object.values(debian).every((path) => existsSync(path));
}

async function installDebianRust(log) {
  const command = ["install", "--yes", "--no-install-recommends", ...debianPackages];
  const advice = `install rustup and run "rustup target add ${target}", or, on Debian, "apt-get ${command.join(" ")}"`;
  const unable = (why) => failure("ERR_WASM_RUST", `No Rust here builds for WebAssembly, and ${why}: ${advice}.`);
  if (ask("rustup", ["--version"]) === undefined && ask("apt-get", ["--version"]) === undefined)
    throw unable("there is neither rustup nor apt-get");
  if (ask("apt-get", ["--version"]) === undefined) throw unable("rustup cannot fetch the target");
  if (process.getuid?.() !== 0) throw unable("rustup cannot fetch the target and apt-get needs an administrator");
  log(`wasm: installing ${debianPackages.join(", ")}`);
  try {
    await run("apt-get", ["update"], { quiet: true });
    await run("apt-get", command, { quiet: true, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  } catch (error) {
    throw unable(error.message.replace(/\.$/, ""));
  }
  if (!hasDebianRust()) throw unable("what apt-get has installed is of another version");
}

/** Builds the libraries into `folder`, which is whole or not there. */
async function buildStandardLibrary(folder, log) {
  log("wasm: building Rust's standard library for WebAssembly");
  const project = mkdtempSync(join(tmpdir(), "stepwell-wasm-std-"));
  try {
    mkdirSync(join(project, "src"));
    writeFileSync(join(project, "src", "lib.rs"), "#![no_std]\n");
    const manifest =
      '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n[profile.release]\nopt-level = 3\n';
    writeFileSync(join(project, "Cargo.toml"), manifest);
    const vendored = [
      'source.crates-io.replace-with="vendored"',
      `source.vendored.directory="${debian.library}/vendor"`,
    ];
    const options = ["--release", "--offline", "-Zbuild-std=std,panic_abort", "--target", target];
    const env = { ...process.env, RUSTC: debian.rustc, RUSTC_BOOTSTRAP: "1", RUSTFLAGS: "-Cembed-bitcode=yes" };
    await run(
      debian.cargo,
      [
        ...vendored.flatMap((setting) => ["--config", setting]),
        "build",
        "--manifest-path",
        join(project, "Cargo.toml"),
        ...options,
      ],
      { quiet: true, env: { ...env, CARGO_TARGET_DIR: join(project, "target") } },
    );
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
