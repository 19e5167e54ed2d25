// Builds the native addons and puts them where packages/native looks for them.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failure, platform } from "../packages/native/libtorch.js";
import { cargoEnvironment, root, run } from "./command.mjs";

/** The crates' libraries, and the names under which packages/native loads them. */
const addons = {
  stepwell_node: "stepwell.node",
  stepwell_node_rust: "stepwell-rust.node",
  stepwell_preload: "preload.node",
};

/** Returns whether anything changed. */
export async function buildAddons() {
  // The messages of Cargo contain the paths of the built files, which depend on the user's target folder.
  const crates = ["stepwell-node", "stepwell-node-rust", "stepwell-preload"].flatMap((name) => ["-p", name]);
  const command = ["build", "--release", "--locked", ...crates];
  const output = await run("cargo", [...command, "--message-format", "json-render-diagnostics"], {
    env: cargoEnvironment(),
    capture: true,
  });

  const folder = join(root, "packages", "native", "addon", platform);
  mkdirSync(folder, { recursive: true });
  const built = output
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return Object.entries(addons)
    .map(([name, file]) => install(library(built, name), join(folder, file)))
    .some(Boolean);
}

function library(messages, name) {
  const message = messages.find(
    (one) => one.reason === "compiler-artifact" && one.target.name === name && one.target.kind.includes("cdylib"),
  );
  const file = message?.filenames.find((path) => /\.(so|dylib|dll)$/.test(path));
  if (!file)
    throw failure("ERR_SETUP", `cargo built no shared library named ${name}: see [lib] in the crate's Cargo.toml.`);
  return file;
}

/** Replaces the file by a rename. A running process may have mapped the old file, and writing to it would crash that process. */
function install(from, to) {
  const content = readFileSync(from);
  if (existsSync(to) && readFileSync(to).equals(content)) return false;
  const fresh = `${to}.${process.pid}`;
  writeFileSync(fresh, content);
  renameSync(fresh, to);
  return true;
}
