// Publishes the tarballs of a release, which `npm run pack -- folder --registry` has made. The workflow of releases runs it.
//
// node scripts/publish.mjs FOLDER [--dry-run]

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { failure } from "../packages/native/libtorch.js";
import { main, outputOf, run } from "./command.mjs";

/** Packages before those that depend on them, so that no version is on the registry without its dependencies. */
const order = [/^libtorch-/, /^native-/, /^libtorch$/, /^native$/, /^wasm$/, /^sdk$/, /^cli$/, /^stepwell$/];

/** The tarballs of a folder with their names and versions, in the order of publication. */
export function releaseOf(folder) {
  const tarballs = readdirSync(folder)
    .filter((file) => file.endsWith(".tgz"))
    .map((file) => {
      const path = join(folder, file);
      const text = execFileSync("tar", ["-xzOf", path, "package/package.json"], { encoding: "utf8" });
      const { name, version } = JSON.parse(text);
      return { path, name, version, rank: order.findIndex((pattern) => pattern.test(name.replace("@stepwell/", ""))) };
    });
  const unknown = tarballs.find(({ rank }) => rank < 0);
  if (unknown) throw failure("ERR_USAGE", `${unknown.name} is not a package of a release.`);
  const versions = new Set(tarballs.map(({ version }) => version));
  if (versions.size !== 1) {
    throw failure(
      "ERR_USAGE",
      `Expected tarballs of one version in ${folder}, given ${[...versions].join(", ") || "none"}.`,
    );
  }
  return tarballs.sort((a, b) => a.rank - b.rank);
}

/** Publishes what the registry does not have yet, so that a run that failed in the middle may be repeated. */
async function publish([folder = "", ...options]) {
  if (options.some((option) => option !== "--dry-run")) {
    throw failure("ERR_USAGE", `publish.mjs: expected a folder and --dry-run, given "${options.join(" ")}".`);
  }
  for (const { path, name, version } of releaseOf(resolve(folder))) {
    if (outputOf("npm", ["view", `${name}@${version}`, "version"])) {
      console.log(`${name} ${version}: published before`);
      continue;
    }
    const provenance = options.length > 0 ? [] : ["--provenance"];
    await run("npm", ["publish", path, "--access", "public", ...provenance, ...options], { quiet: true });
    console.log(`${name} ${version}: published`);
  }
}

if (process.argv[1] === import.meta.filename) await main(() => publish(process.argv.slice(2)));
