// Makes the packages of one platform each: the addons of @stepwell/native, and the libraries of @stepwell/libtorch.
//
// A registry serves them: npm, pnpm, yarn and bun install those whose `os`, `cpu` and `libc` fit. For a project that installs tarballs
// from files, the package itself has the files of the platform, since its dependencies would come from a registry.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { downloadWheels, unpackWheels } from "../packages/native/fetch/wheels.js";
import { failure, pinned } from "../packages/native/libtorch.js";
import { root, run } from "./command.mjs";
import peers from "./peers.cjs";

const systems = { linux: "Linux", darwin: "macOS", win32: "Windows" };

/** Packs @stepwell/native for a registry: without addons, and a package with the addons of each platform that was built. */
export async function packNative(folder) {
  const addons = join(root, "packages", "native", "addon");
  const platforms = readdirSync(addons);
  await withStage(folder, async (stage) => {
    for (const platform of platforms) {
      const files = readdirSync(join(addons, platform)).filter((file) => file.endsWith(".node"));
      const add = (target) => {
        for (const file of files) cpSync(join(addons, platform, file), join(target, file));
      };
      await packPlatform(stage, folder, "native", platform, "Stepwell's native addon", files, add);
    }
    // Versions are equal in a release, and a peer in the manifest of the repository would make each release a major one.
    await packMain(stage, folder, "native", (manifest) => ({
      ...peers.withLibtorch(manifest),
      files: manifest.files.filter((name) => name !== "addon"),
      optionalDependencies: dependencies("native", platforms, manifest.version),
    }));
  });
}

/** Packs @stepwell/libtorch with the libraries of platforms: in it, or for a registry in a package of each platform. */
export async function packLibtorch(folder, { registry, platforms }) {
  await withStage(folder, async (stage) => {
    if (!registry) {
      const change = (manifest) => ({ ...manifest, files: [...manifest.files, ...platforms] });
      await packMain(stage, folder, "libtorch", change, async (target) => {
        for (const platform of platforms) await libraries(stage, join(target, platform), platform);
      });
      return;
    }
    for (const platform of platforms) {
      const add = (target) => libraries(stage, target, platform);
      const what = `libtorch ${pinned.version} for the CPU`;
      await packPlatform(stage, folder, "libtorch", platform, what, ["torch", "nvidia", "licences"], add);
    }
    await packMain(stage, folder, "libtorch", (manifest) => ({
      ...manifest,
      optionalDependencies: dependencies("libtorch", platforms, manifest.version),
    }));
  });
}

const dependencies = (name, platforms, version) =>
  Object.fromEntries(platforms.map((platform) => [`@stepwell/${name}-${platform}`, version]));

/** Puts the libraries of a platform into a folder, with the licences of the wheels that they come from. */
async function libraries(stage, target, platform) {
  const wheels = pinned.platforms[platform]?.map((wheel) => ({ version: pinned.version, ...wheel }));
  if (!wheels) throw failure("ERR_PLATFORM", `libtorch is not pinned for ${platform}.`);
  const downloads = join(stage, "wheels");
  await downloadWheels(downloads, wheels, "libtorch");
  const information = ({ name, version }) => `${name.replaceAll("-", "_")}-${version}.dist-info`;
  const licences = (wheel) => (wheel.licences ?? ["licenses/"]).map((file) => `${information(wheel)}/${file}`);
  const needed = wheels.map((wheel) => ({
    ...wheel,
    files: [...wheel.files.filter((file) => !/\/include\/$|\/libtorch\.|\.lib$/.test(file)), ...licences(wheel)],
  }));
  await unpackWheels(downloads, target, needed);
  for (const wheel of wheels) {
    const from = join(target, information(wheel));
    mkdirSync(join(target, "licences"), { recursive: true });
    renameSync(wheel.licences ? from : join(from, "licenses"), join(target, "licences", wheel.name));
    rmSync(from, { recursive: true, force: true });
  }
}

/** Packs a package of one platform. `add` puts its files into a folder. */
async function packPlatform(stage, folder, name, platform, what, files, add) {
  const { manifest, target } = stageOf(stage, name, `${name}-${platform}`);
  const [os, cpu] = platform.split("-");
  const { version, license, engines } = manifest;
  const text = `${what}, for ${systems[os]} on ${cpu}. @stepwell/${name} depends on it.`;
  await add(target);
  write(target, {
    name: `@stepwell/${name}-${platform}`,
    version,
    description: text,
    license,
    keywords: manifest.keywords,
    type: "commonjs",
    engines,
    os: [os],
    cpu: [cpu],
    ...(os === "linux" ? { libc: ["glibc"] } : {}),
    // Files of 430 MB are not for a bundler.
    preferUnplugged: true,
    files,
  });
  writeFileSync(join(target, "README.md"), `# @stepwell/${name}-${platform}\n\n${text}\n`);
  await npmPack(target, folder);
}

/** Packs a package with another manifest. */
async function packMain(stage, folder, name, change, add = () => {}) {
  const { manifest, target } = stageOf(stage, name, name);
  for (const file of [...manifest.files, "README.md"]) {
    if (file !== "addon" && !file.startsWith("!"))
      cpSync(join(root, "packages", name, file), join(target, file), { recursive: true });
  }
  await add(target);
  write(target, change(manifest));
  await npmPack(target, folder);
}

/** A folder for a package to be packed, with the licence, and the manifest of the package in the repository. */
function stageOf(stage, name, staged) {
  const target = join(stage, staged);
  mkdirSync(target, { recursive: true });
  cpSync(join(root, "packages", name, "LICENSE"), join(target, "LICENSE"));
  return { target, manifest: JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")) };
}

function write(target, manifest) {
  writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

async function npmPack(target, folder) {
  await run("npm", ["pack", "--loglevel=error", "--pack-destination", folder, target], { capture: true });
}

async function withStage(folder, use) {
  // On the disk of the tarballs: the libraries have 430 MB.
  const stage = mkdtempSync(join(folder, ".stage-"));
  try {
    await use(stage);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
