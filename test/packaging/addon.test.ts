import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { libtorch } from "@stepwell/native";
import { errorCodes } from "@stepwell/sdk";
import { describe, expect, it } from "vitest";
import { libraryPath } from "../../packages/native/libtorch.js";
import { startCodes } from "./start-codes.js";

const native = fileURLToPath(new URL(".", import.meta.resolve("@stepwell/native")));
const addons = join(native, "addon", `${process.platform}-${process.arch}`);

/** The versions that the README of the package states, by the name that symbols have. */
function statedVersions(): Readonly<Record<string, string>> {
  const readme = readFileSync(join(native, "README.md"), "utf8").replaceAll(/\s+/g, " ");
  const [, glibc = "", glibcxx = "", cxxabi = ""] =
    /glibc (2\.\d+) and a libstdc\+\+ with GLIBCXX (3\.4\.\d+) and CXXABI (1\.3\.\d+)/.exec(readme) ?? [];
  return { GLIBC: glibc, GLIBCXX: glibcxx, CXXABI: cxxabi };
}

/** The newest versions of symbols that a library needs. */
function neededVersions(path: string): Readonly<Record<string, string>> {
  const symbols = execFileSync("objdump", ["-T", path], { encoding: "utf8", maxBuffer: 2 ** 28 });
  const needed: Record<string, string> = {};
  for (const [, name = "", version = ""] of symbols.matchAll(/\*UND\*.*\b(GLIBC|GLIBCXX|CXXABI)_([\d.]+)/g)) {
    if (!needed[name] || isOlder(needed[name], version)) needed[name] = version;
  }
  return needed;
}

const isOlder = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true }) < 0;

describe.runIf(process.platform === "linux")("the addons", () => {
  it.each(readdirSync(addons))("%s needs no CUDA and no path of this machine", (file) => {
    const dynamic = execFileSync("readelf", ["-d", join(addons, file)], { encoding: "utf8" });
    const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name);
    // libtorch.so itself would drag in libtorch_cuda, and that every library of NVIDIA.
    const allowed = /^(libtorch_cpu|libc10|libstdc\+\+|libgcc_s|libc|libm|ld-linux-x86-64|ld-linux-aarch64)\.so/;
    expect(needed.filter((name) => !allowed.test(name ?? ""))).toEqual([]);
    expect(needed.includes("libtorch_cpu.so")).toBe(file === "stepwell.node");
    expect(dynamic).not.toMatch(/RPATH|RUNPATH/);
  });

  it.each(readdirSync(addons))("%s needs no newer glibc and libstdc++ than the README states", (file) => {
    const [stated, needed] = [statedVersions(), neededVersions(join(addons, file))];
    expect(Object.keys(needed)).toContain("GLIBC");
    const newer = Object.entries(needed).filter(([name, version]) => isOlder(stated[name] ?? "", version));
    expect(newer).toEqual([]);
  });

  const own = readdirSync(addons).filter((file) => file !== "stepwell.node");
  it.each(own)("%s needs no symbol that only Node happens to have", (file) => {
    const symbols = execFileSync("nm", ["-D", "--undefined-only", join(addons, file)], { encoding: "utf8" });
    // A library of the system gives its symbols a version.
    const unversioned = [...symbols.matchAll(/ U ([^@\s]+)$/gm)].map(([, name = ""]) => name);
    expect(unversioned.filter((name) => !name.startsWith("napi_"))).toEqual([]);
  });

  it("need no more than libtorch itself", () => {
    const stated = statedVersions();
    const libraries = ["c10", "torch_cpu"].map((name) => neededVersions(libraryPath(libtorch.path, name)));
    for (const [name, version] of Object.entries(stated)) {
      expect([name, libraries.some((needed) => !isOlder(needed[name] ?? "", version))]).toEqual([name, true]);
    }
  });
});

it("is loaded with the pinned libtorch", () => {
  expect(libtorch.version).toMatch(/^2\.11\.0(\+|$)/);
});

it("states every error code once in Rust and once as a type", async () => {
  const { open } = await import("@stepwell/native");
  const native = open() as { call(command: string, args: unknown[]): unknown };
  expect([...errorCodes]).toEqual([...(native.call("errorcodes", []) as string[]), ...startCodes]);
});
