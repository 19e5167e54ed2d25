import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder, findLibtorch, libraryPath, pinned } from "@stepwell/native/libtorch";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "libtorch-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder that looks like a libtorch of that version. */
function made(path: string, version: string): string {
  mkdirSync(join(path, "lib"), { recursive: true });
  writeFileSync(join(path, "version.py"), `__version__ = '${version}'\n`);
  for (const name of ["c10", "torch_cpu"]) writeFileSync(libraryPath(path, name), "");
  return path;
}

/** Finds with no Python and with a cache in the folder. */
const find = (LIBTORCH?: string) =>
  findLibtorch({ env: { PATH: folder, XDG_CACHE_HOME: folder, ...(LIBTORCH ? { LIBTORCH } : {}) } });

it("takes the LIBTORCH of the pinned version, whatever its build", () => {
  const path = made(join(folder, "good"), `${pinned.version}+cpu`);
  expect(find(path)).toEqual({ path, version: `${pinned.version}+cpu`, source: "LIBTORCH" });
});

it("refuses a LIBTORCH of another version by name, and does not look elsewhere", () => {
  made(join(cacheFolder({ XDG_CACHE_HOME: folder }), "torch"), pinned.version);
  const path = made(join(folder, "other"), "2.10.0");
  expect(() => find(path)).toThrow(expect.objectContaining({ code: "ERR_LIBTORCH_VERSION" }));
  expect(() => find(path)).toThrow(/2\.10\.0 .*2\.11\.0/);
  rmSync(cacheFolder({ XDG_CACHE_HOME: folder }), { recursive: true });
});

it("refuses a LIBTORCH without libraries", () => {
  expect(() => find(join(folder, "none"))).toThrow(expect.objectContaining({ code: "ERR_LIBTORCH_NOT_FOUND" }));
});

it("says everything that it tried", () => {
  expect(() => find()).toThrow(
    /LIBTORCH is not set; @stepwell\/libtorch (?:is not installed|has no libtorch for \S+); in the cache .* there is no python3; there is no python\. Run "npm run setup" in /,
  );
});

it.runIf(process.platform === "linux")("takes the cache only when it is whole", () => {
  const path = join(cacheFolder({ XDG_CACHE_HOME: folder }), "torch");
  made(path, pinned.version);
  expect(find()).toMatchObject({ path, source: "cache" });
  rmSync(libraryPath(path, "torch_cpu"));
  expect(() => find()).toThrow(expect.objectContaining({ code: "ERR_LIBTORCH_NOT_FOUND" }));
});
