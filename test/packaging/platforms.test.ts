// The packages of one platform each: of the addon, and of libtorch.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { libtorch } from "@stepwell/native";
import { pinned } from "@stepwell/native/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { platform } from "../../packages/native/libtorch.js";
import { folder as copies, fakeLibtorch, packages, prepare, programs, without } from "./broken.js";
import { install, pack, run } from "./packed.js";

const folder = mkdtempSync(join(tmpdir(), "platforms-"));
afterAll(() => [folder, copies].map((path) => rmSync(path, { recursive: true, force: true })));

describe("the addon, as a registry serves it", () => {
  const packed = join(folder, "packed");
  const tarball = (name: string) => join(packed, `stepwell-${name}-0.1.0.tgz`);
  const manifest = (name: string) =>
    JSON.parse(execFileSync("tar", ["-xzOf", tarball(name), "package/package.json"], { encoding: "utf8" }));
  const files = (name: string) =>
    execFileSync("tar", ["-tzf", tarball(name)], { encoding: "utf8" })
      .trim()
      .split("\n");
  beforeAll(() => pack(packed, ["--registry"]));

  it("is in a package of its platform, and in no other one", () => {
    const [os, cpu] = platform.split("-");
    const { version, optionalDependencies, scripts } = manifest("native");
    expect(optionalDependencies).toMatchObject({ [`@stepwell/native-${platform}`]: version });
    expect(scripts).toBeUndefined();
    const peer = { peerDependencies: { "@stepwell/libtorch": version } };
    expect(manifest("native")).toMatchObject({
      ...peer,
      peerDependenciesMeta: { "@stepwell/libtorch": { optional: true } },
    });
    const own = manifest(`native-${platform}`);
    expect(own).toMatchObject({ name: `@stepwell/native-${platform}`, version, os: [os], cpu: [cpu], license: "MIT" });
    expect(own.libc).toEqual(os === "linux" ? ["glibc"] : undefined);
    expect(own.scripts).toBeUndefined();
    const names = ["LICENSE", "README.md", "package.json", "preload.node", "stepwell-rust.node", "stepwell.node"];
    expect(files(`native-${platform}`).toSorted()).toEqual(names.map((name) => `package/${name}`));
    expect(files("native").filter((name) => name.endsWith(".node"))).toEqual([]);
  });

  it("trains in an empty project, and the engine is WebAssembly without it", () => {
    const program = 'import { engine, tensor } from "@stepwell/sdk";\nconsole.log(engine, tensor(tensor([1, 2])));';
    const project = install(packed, ["native", `native-${platform}`, "wasm", "sdk"], { "train.js": program });
    const train = () => run(process.execPath, ["train.js"], project);
    expect(train()).toEqual({ status: 0, stdout: "native [ 1, 2 ]\n", stderr: "" });
    rmSync(join(project, "node_modules", "@stepwell", `native-${platform}`), { recursive: true });
    const { stdout, stderr } = train();
    expect(stdout).toBe("wasm [ 1, 2 ]\n");
    expect(stderr).toMatch(new RegExp(`has no addon for ${platform}: .*Install a package @stepwell/native`));
  });

  it.runIf(process.platform === "linux").each([
    ["this platform", [], true],
    ["another system", ["--os=win32"], false],
    ["another processor", ["--cpu=arm64"], false],
    ["another C library", ["--libc=musl"], false],
  ])("as an optional dependency on %s is installed or left out", (_, options, isInstalled) => {
    const project = mkdtempSync(join(folder, "optional-"));
    const name = `@stepwell/native-${platform}`;
    const manifest = { optionalDependencies: { [name]: `file:${tarball(`native-${platform}`)}` } };
    writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
    const args = ["install", "--offline", "--no-audit", "--no-fund", ...options];
    expect(run("npm", args, project).stderr).not.toContain("npm error");
    expect(existsSync(join(project, "node_modules", name, "stepwell.node"))).toBe(isInstalled);
  });
});

describe("libtorch in packages", () => {
  /** Installs @stepwell/libtorch with a folder as its libtorch: in the package of the platform, or in the package itself. */
  const installed = (path: string, own: boolean) => (modules: string) => {
    cpSync(join(packages, "libtorch"), join(modules, "libtorch"), { recursive: true });
    const target = own ? join(modules, "libtorch", platform) : join(modules, `libtorch-${platform}`);
    mkdirSync(target);
    symlinkSync(path, join(target, "torch"));
    writeFileSync(join(target, "package.json"), JSON.stringify({ name: `@stepwell/libtorch-${platform}` }));
  };
  const cache = { XDG_CACHE_HOME: dirname(dirname(dirname(libtorch.path))), LIBTORCH: "" };

  it.each([
    ["of the platform", false],
    ["for files", true],
  ])("is found in the package %s, without Python and without a cache", (_, own) => {
    const env = without(programs("no", "nothing"));
    expect(prepare({ env })("").engine).toBe("rust");
    const { engine, info, warnings } = prepare({ env, spoil: installed(libtorch.path, own) })("");
    expect([engine, info?.libtorch, warnings]).toEqual(["native", expect.objectContaining({ source: "package" }), []]);
  });

  it("comes before the cache, and after LIBTORCH", () => {
    const spoil = installed(libtorch.path, false);
    const sourceOf = (env: Readonly<Record<string, string>>) => prepare({ env, spoil })("native").info?.libtorch;
    expect(sourceOf(cache)).toMatchObject({ source: "package" });
    expect(sourceOf({ LIBTORCH: libtorch.path })).toMatchObject({ source: "LIBTORCH" });
  });

  it("of another version is left out, and the message says so", () => {
    const env = without(programs("no", "nothing"));
    const spoil = installed(fakeLibtorch("2.10.0"), false);
    expect(prepare({ env, spoil })("native")).toMatchObject({
      code: "ERR_LIBTORCH_NOT_FOUND",
      message: expect.stringMatching(/in @stepwell\/libtorch its version is 2\.10\.0 where 2\.11\.0 is needed/),
    });
  });

  it("is packed for platforms of which wheels are pinned, and for no others", async () => {
    const script = (await import(join(packages, "..", "scripts", "pack.mjs"))) as {
      pack(args: readonly string[]): Promise<void>;
    };
    const args = [join(folder, "none"), "--libtorch=solaris-sparc"];
    const message = expect.stringMatching(
      /linux-x64, linux-arm64, darwin-arm64, win32-x64, given "--libtorch=solaris-sparc"/,
    );
    await expect(script.pack(args)).rejects.toMatchObject({ code: "ERR_USAGE", message });
    expect(existsSync(join(folder, "none"))).toBe(false);

    for (const [name, wheels] of Object.entries(pinned.platforms)) {
      expect(name).toMatch(/^(?:darwin|linux|win32)-(?:arm64|x64)$/);
      expect(wheels.length).toBeGreaterThan(0);
    }
    expect(readdirSync(join(packages, "libtorch"))).toEqual(expect.arrayContaining(["index.js", "index.d.ts"]));
  });
});
