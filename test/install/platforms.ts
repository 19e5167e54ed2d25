// The rows of the packages of each platform: what can be seen of them on a machine of another one.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pinned } from "@stepwell/native/libtorch";
import { run } from "./machine.js";
import { root } from "./programs.js";
import type { Row } from "./rows.js";

/** The first bytes of a library, in hexadecimal, with its processor: ELF, Mach-O, and the letters of Windows' programs. */
const formats: Readonly<Record<string, RegExp>> = {
  "linux-x64": /^7f454c460201.{24}3e00/,
  "linux-arm64": /^7f454c460201.{24}b700/,
  "darwin-arm64": /^cffaedfe0c000001/,
  "win32-x64": /^4d5a/,
};

/** Packs the packages of a platform, as a registry serves them, into a folder. */
export type PackPlatform = (folder: string, platform: string) => Promise<void>;

/** A row for the libtorch of each platform, and one for each addon that was built. */
export function platformRows(folder: string, native: string, packLibtorch: PackPlatform): readonly Row[] {
  const libtorchs = Object.keys(pinned.platforms).map((platform) => ({
    words: ["package of a platform", `@stepwell/libtorch-${platform}`],
    check: async () => {
      const target = join(folder, `libtorch-${platform}`);
      mkdirSync(target);
      await packLibtorch(target, platform);
      const tarball = join(target, readdirSync(target).find((file) => file.includes(platform)) ?? "");
      const path = unpacked(tarball);
      const wheels = pinned.platforms[platform] ?? [];
      const wanted = wheels
        .flatMap(({ files }) => files)
        .filter((file) => /\.(?:so|dylib|dll)(?:\.|$)/.test(file) && !/\/libtorch\./.test(file));
      for (const file of wanted) expectLibrary(join(path, file), platform);
      for (const { name } of wheels) {
        if (readdirSync(join(path, "licences", name)).length === 0) throw new Error(`no licence of ${name}`);
      }
      return `${expectManifest(tarball, path, platform)}, ${wanted.length} libraries, licences`;
    },
  }));
  const addons = Object.keys(formats).map((platform) => ({
    words: ["package of a platform", `@stepwell/native-${platform}`],
    check: () => {
      const tarball = join(native, readdirSync(native).find((file) => file.includes(`native-${platform}`)) ?? "");
      if (tarball === native || !tarball.endsWith(".tgz"))
        return "not built on this machine; its release job builds it";
      const path = unpacked(tarball);
      for (const file of ["preload.node", "stepwell.node"]) expectLibrary(join(path, file), platform);
      return `${expectManifest(tarball, path, platform)}, two addons`;
    },
  }));
  return [...libtorchs, ...addons];
}

function unpacked(tarball: string): string {
  const folder = tarball.replace(/\.tgz$/, "");
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
  return folder;
}

function expectLibrary(path: string, platform: string): void {
  const start = readFileSync(path).subarray(0, 32).toString("hex");
  if (!formats[platform]?.test(start)) throw new Error(`${path} is not a library of ${platform}: ${start}`);
}

/** Checks the manifest, publint, and that npm installs the package on its platform alone. */
function expectManifest(tarball: string, path: string, platform: string): string {
  const [os = "", cpu = ""] = platform.split("-");
  const { name, version, license, scripts, ...manifest } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  const expected = { os: [os], cpu: [cpu], ...(os === "linux" ? { libc: ["glibc"] } : {}) };
  const found = { os: manifest.os, cpu: manifest.cpu, ...(manifest.libc && { libc: manifest.libc }) };
  if (JSON.stringify(found) !== JSON.stringify(expected) || license !== "MIT" || scripts) {
    throw new Error(`${name} ${version} has ${JSON.stringify({ ...found, license, scripts })}`);
  }
  const publint = run(join(root, "test", "node_modules", ".bin", "publint"), [tarball, "--strict"], path);
  if (publint.status !== 0) throw new Error(publint.stdout + publint.stderr);
  const others: Readonly<Record<string, readonly string[]>> = { os: ["freebsd"], cpu: ["riscv64"] };
  if (!installs(path, name, tarball, [`--os=${os}`, `--cpu=${cpu}`, "--libc=glibc"]))
    throw new Error(`${name} is not installed`);
  for (const [option, [value]] of Object.entries(others)) {
    const options = [`--os=${os}`, `--cpu=${cpu}`, "--libc=glibc"].map((text) =>
      text.startsWith(`--${option}=`) ? `--${option}=${value}` : text,
    );
    if (installs(path, name, tarball, options)) throw new Error(`${name} is installed with ${options.join(" ")}`);
  }
  return `${Object.values(expected).flat().join(" ")}, publint, npm installs it there alone`;
}

/** Whether npm installs the package as an optional dependency. */
function installs(path: string, name: string, tarball: string, options: readonly string[]): boolean {
  const project = `${path}-${options.join("").replaceAll(/\W/g, "")}`;
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ optionalDependencies: { [name]: `file:${tarball}` } }));
  const { status, stderr } = run("npm", ["install", "--offline", "--no-audit", "--no-fund", ...options], project);
  if (status !== 0) throw new Error(stderr);
  return existsSync(join(project, "node_modules", name));
}
