// Python's torch: asked for last, and remembered by the program and by the time of torch's version.

import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { cacheFolder, findLibtorch, libraryPath, pinned } from "@stepwell/native/libtorch";
import { afterAll, beforeEach, describe, expect, it } from "vitest";

const root = mkdtempSync(join(tmpdir(), "python-"));
afterAll(() => rmSync(root, { recursive: true }));

const changed = new Date(2040, 0);

let folder = "";
let count = 0;
beforeEach(() => {
  folder = join(root, String(++count));
  mkdirSync(folder);
});

/** A folder that looks like the torch package of that version. */
function torch(path: string, version = pinned.version): string {
  mkdirSync(join(path, "lib"), { recursive: true });
  writeFileSync(join(path, "__init__.py"), "raise ImportError('torch was imported')\n");
  writeFileSync(join(path, "version.py"), `__version__ = '${version}'\n`);
  for (const name of ["c10", "torch_cpu"]) writeFileSync(libraryPath(path, name), "");
  return path;
}

/** A folder for the PATH with a `python3` that logs each start, and prints the folder. */
function python(name: string, answer: string): string {
  const bin = join(folder, name, "bin");
  mkdirSync(bin, { recursive: true });
  const program = join(bin, "python3");
  writeFileSync(program, `#!/bin/sh\necho start >> ${join(folder, "log")}\necho ${answer}\n`);
  chmodSync(program, 0o755);
  return bin;
}

const memory = () => join(folder, "cache", "stepwell", "python.json");
const starts = () => {
  const log = join(folder, "log");
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0;
};
const find = (PATH: string, env = {}) => findLibtorch({ env: { PATH, XDG_CACHE_HOME: join(folder, "cache"), ...env } });

describe.skipIf(process.platform === "win32")("Python's torch", () => {
  it("is found by the Python of this machine, without an import of torch", () => {
    const path = torch(join(folder, "packages", "torch"));
    const variables = { LIBTORCH: "", PYTHONPATH: join(folder, "packages"), XDG_CACHE_HOME: join(folder, "cache") };
    const found = findLibtorch({ env: { ...process.env, ...variables } });
    expect(found).toEqual({ path, version: pinned.version, source: "python" });
  });

  it("is not asked for if the cache has libtorch", () => {
    const cached = torch(join(cacheFolder({ XDG_CACHE_HOME: join(folder, "cache") }), "torch"));
    const bin = python("a", torch(join(folder, "torch")));
    expect(find(bin)).toMatchObject({ path: cached, source: "cache" });
    expect(starts()).toBe(0);
  });

  it("is remembered while neither Python nor torch changes", () => {
    const path = torch(join(folder, "torch"));
    const bin = python("a", path);
    for (let i = 0; i < 3; i++) expect(find(bin)).toMatchObject({ path, source: "python" });
    expect(starts()).toBe(1);

    utimesSync(join(bin, "python3"), changed, changed);
    expect(find(bin)).toMatchObject({ path });
    expect(starts()).toBe(2);

    // As an installation of another version does.
    writeFileSync(join(path, "version.py"), "__version__ = '2.9.0'\n");
    utimesSync(join(path, "version.py"), changed, changed);
    expect(() => find(bin)).toThrow(/has torch in .* but its version is 2\.9\.0 where/);
    expect(starts()).toBe(3);
    expect(() => find(bin)).toThrow(/its version is 2\.9\.0/);
    expect(starts()).toBe(3);
  });

  it("is asked for again if Python had none", () => {
    const bin = python("a", "");
    expect(() => find(bin)).toThrow(/python3 has no torch/);
    const path = torch(join(folder, "torch"));
    writeFileSync(join(bin, "python3"), `#!/bin/sh\necho ${path}\n`);
    expect(find(bin)).toMatchObject({ path });
  });

  it("is another one in a virtual environment, whose Python is a link to the same file", () => {
    const [outside, inside] = [torch(join(folder, "outside")), torch(join(folder, "inside"))];
    const bin = python("a", "$(cat $(dirname $0)/answer)");
    const virtual = join(folder, "virtual", "bin");
    mkdirSync(virtual, { recursive: true });
    symlinkSync(join(bin, "python3"), join(virtual, "python3"));
    writeFileSync(join(bin, "answer"), outside);
    writeFileSync(join(virtual, "answer"), inside);
    for (let i = 0; i < 2; i++) {
      expect(find(`${bin}:/bin:/usr/bin`)).toMatchObject({ path: outside });
      expect(find(`${virtual}:${bin}:/bin:/usr/bin`)).toMatchObject({ path: inside });
    }
    expect(starts()).toBe(2);
    expect(find(`${bin}:/bin:/usr/bin`, { PYTHONPATH: folder })).toMatchObject({ path: outside });
    expect(starts()).toBe(3);
  });

  it("is asked for again by every damaged or foreign file of answers", () => {
    const path = torch(join(folder, "torch"));
    const evil = torch(join(folder, "evil"));
    for (const each of [path, evil]) utimesSync(join(each, "version.py"), changed, changed);
    const bin = python("a", path);
    expect(find(bin)).toMatchObject({ path });
    const good = readFileSync(memory(), "utf8");
    const spoilt: readonly (() => void)[] = [
      () => writeFileSync(memory(), ""),
      () => writeFileSync(memory(), "null"),
      () => writeFileSync(memory(), '{"entries":[null]}'),
      () => writeFileSync(memory(), '{"entries":{"__proto__":[]}}'),
      () => writeFileSync(memory(), good.slice(0, -5)),
      () => writeFileSync(memory(), good.replace(JSON.stringify(path), JSON.stringify(relative(process.cwd(), evil)))),
      () => writeFileSync(memory(), good.replace(JSON.stringify(path), JSON.stringify(join(folder, "gone")))),
      () => writeFileSync(memory(), good.padEnd(1 << 20)),
      () => mkdirSync(memory()),
      () => execFileSync("mkfifo", [memory()]),
      // Of a file that every user can write, and of a link to one of another place.
      () => {
        writeFileSync(memory(), good.replace(JSON.stringify(path), JSON.stringify(evil)));
        chmodSync(memory(), 0o666);
      },
      () => {
        const elsewhere = join(folder, "elsewhere.json");
        writeFileSync(elsewhere, good.replace(JSON.stringify(path), JSON.stringify(evil)));
        symlinkSync(elsewhere, memory());
      },
    ];
    for (const [index, spoil] of spoilt.entries()) {
      rmSync(memory(), { recursive: true });
      spoil();
      expect({ index, ...find(bin) }).toEqual({ index, path, version: pinned.version, source: "python" });
      expect(starts()).toBe(index + 2);
    }
  });

  it("is found without permission to write, and by many programs at once", () => {
    const path = torch(join(folder, "torch"));
    const bin = python("a", path);
    writeFileSync(join(folder, "cache"), "a file where the folder would be");
    expect(find(bin)).toMatchObject({ path });
    expect(find(bin)).toMatchObject({ path });
    expect(starts()).toBe(2);
    rmSync(join(folder, "cache"));
    // Where the system makes no folders.
    if (process.platform === "linux") expect(find(bin, { XDG_CACHE_HOME: "/proc/absent" })).toMatchObject({ path });

    const module = JSON.stringify(join(import.meta.dirname, "../../packages/native/libtorch.js"));
    const program = `for (let i = 0; i < 20; i++) require(${module}).findLibtorch();`;
    const env = { PATH: `${bin}:/bin:/usr/bin`, XDG_CACHE_HOME: join(folder, "cache") };
    const children = `for i in 1 2 3 4; do "${process.execPath}" -e '${program.replaceAll("'", "")}' & done; wait`;
    expect(spawnSync("/bin/sh", ["-c", children], { env, encoding: "utf8" }).stderr).toBe("");
    expect(JSON.parse(readFileSync(memory(), "utf8")).entries).toHaveLength(1);
    expect(starts()).toBeLessThanOrEqual(7);
  });
});
