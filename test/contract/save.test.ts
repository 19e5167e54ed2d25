// Effects of `save` on the folder that it writes into: links, modes, other processes, and processes that are killed.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-save-"));
const path = join(folder, "model.safetensors");
const isAdministrator = process.getuid?.() === 0;

beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});
afterEach(() => k.free());
afterAll(() => rmSync(folder, { recursive: true }));

const layer = () => k.module(["linear", 2, 2]);
const mode = (file: string) => statSync(file).mode & 0o7777;

/** Fails unless a file holds a module such as {@link layer}. */
const expectLoads = (file: string) => k.load(layer(), file);

/** A process that runs a module in this folder, where the packages are found. */
function run(code: string, ...args: string[]): ChildProcess {
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  return spawn(process.execPath, ["--input-type=module", "-e", code, ...args], { cwd, stdio: ["ignore", "pipe", 2] });
}

/** The first line that a process prints. */
async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = await once(child.stdout as NodeJS.ReadableStream, "data");
  return String(chunk).split("\n")[0] as string;
}

describe("save", () => {
  it("keeps the mode of a file that it replaces, and gives a new one the usual mode", () => {
    const before = process.umask(0o027);
    try {
      k.save(layer(), path);
      expect(mode(path)).toBe(0o640);
      for (const kept of [0o600, 0o644, 0o666, 0o400]) {
        chmodSync(path, kept);
        k.save(layer(), path);
        expect(mode(path)).toBe(kept);
      }
    } finally {
      process.umask(before);
    }
  });

  it.runIf(isAdministrator)("keeps the owner of a file that it replaces", () => {
    writeFileSync(path, "");
    chownSync(path, 12345, 23456);
    chmodSync(path, 0o640);
    k.save(layer(), path);
    expect([statSync(path).uid, statSync(path).gid, mode(path)]).toEqual([12345, 23456, 0o640]);
  });

  it("takes names as long as the file system does", () => {
    const long = join(folder, "n".repeat(255));
    for (const _ of [0, 1]) k.save(layer(), long);
    expectLoads(long);
    expect(readdirSync(folder)).toEqual(["n".repeat(255)]);
    expectError("ERR_FILE", () => k.save(layer(), `${long}n`));
    expect(readdirSync(folder)).toEqual(["n".repeat(255)]);
  });

  describe("through links", () => {
    const link = join(folder, "link");

    it("writes what they point at, over several folders", () => {
      mkdirSync(join(folder, "deep"));
      symlinkSync("deep/second", link);
      symlinkSync("../third", join(folder, "deep", "second"));
      symlinkSync(path, join(folder, "third"));
      for (const _ of ["new", "replaced"]) {
        k.save(layer(), link);
        expect(lstatSync(path).isFile()).toBe(true);
        expectLoads(link);
        expect(readlinkSync(link)).toBe("deep/second");
        expect(readdirSync(folder).sort()).toEqual(["deep", "link", "model.safetensors", "third"]);
      }
    });

    it("refuses what ends nowhere, and leaves it", () => {
      symlinkSync(join(folder, "missing", "file"), link);
      expectError("ERR_FILE", () => k.save(layer(), link));
      expect(readlinkSync(link)).toBe(join(folder, "missing", "file"));
      rmSync(link);
      symlinkSync("link", link);
      expect(expectError("ERR_FILE", () => k.save(layer(), link))).toContain("chain of more than 40 links");
      expect(readdirSync(folder)).toEqual(["link"]);
    });

    it.runIf(isAdministrator)("refuses one that another user put where everybody can", () => {
      const victim = join(folder, "victim");
      const everybodys = join(folder, "everybodys");
      mkdirSync(everybodys);
      chmodSync(everybodys, 0o1777);
      writeFileSync(victim, "precious");
      const planted = join(everybodys, "model");
      symlinkSync(victim, planted);
      lchownSync(planted, 12345, 12345);
      expect(expectError("ERR_FILE", () => k.save(layer(), planted))).toContain("another user");
      expect(readFileSync(victim, "utf8")).toBe("precious");
      expect(readdirSync(everybodys)).toEqual(["model"]);
    });
  });

  it("does not write through what was planted under foretold names", () => {
    const victim = join(folder, "victim");
    writeFileSync(victim, "precious");
    for (let i = 0; i < 100; i++) symlinkSync(victim, `${path}.${process.pid}.${i}.tmp`);
    for (let i = 0; i < 20; i++) k.save(layer(), path);
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(lstatSync(path).isFile()).toBe(true);
  });

  it("refuses what is no regular file, and leaves it", async () => {
    expect(expectError("ERR_FILE", () => k.save(layer(), folder))).toContain("not a regular file");
    expect(expectError("ERR_FILE", () => k.save(layer(), "/dev/null"))).toContain("not a regular file");
    expect(expectError("ERR_FILE", () => k.load(layer(), "/dev/zero"))).toContain("not a regular file");
    expectError("ERR_FILE", () => k.save(layer(), ""));
    expectError("ERR_FILE", () => k.save(layer(), join(folder, "..")));
    expectError("ERR_FILE", () => k.save(layer(), `${path}\0more`));
    const fifo = join(folder, "fifo");
    await once(spawn("mkfifo", [fifo]), "exit");
    expect(expectError("ERR_FILE", () => k.save(layer(), fifo))).toContain("not a regular file");
    // No process writes into the pipe, so a read would wait for ever.
    expect(expectError("ERR_FILE", () => k.load(layer(), fifo))).toContain("not a regular file");
    const socket = join(folder, "socket");
    const server = createServer().listen(socket);
    await once(server, "listening");
    expect(expectError("ERR_FILE", () => k.save(layer(), socket))).toContain("not a regular file");
    expectError("ERR_FILE", () => k.load(layer(), socket));
    server.close();
    await once(server, "close");
    expect(readdirSync(folder)).toEqual(["fifo"]);
    expect(lstatSync(fifo).isFIFO()).toBe(true);
  });

  it("removes what killed processes left, and nothing else", () => {
    // On WebAssembly a name has the process, since Node locks no files.
    const { pid } = spawnSync(process.execPath, ["--version"]);
    const left = differences.streamsFiles
      ? `.stepwell-${"0123456789abcdef".repeat(2)}.tmp`
      : `.stepwell-${pid}-${randomUUID()}.tmp`;
    const others = [
      "model.safetensors.1.0.tmp",
      ".stepwell-.tmp",
      `.stepwell-${"g".repeat(32)}.tmp`,
      `.stepwell-${"0".repeat(31)}.tmp`,
      `.stepwell-${"0".repeat(33)}.tmp`,
      `.stepwell-${"0".repeat(32)}.tmp.bak`,
      `x.stepwell-${"0".repeat(32)}.tmp`,
      `.stepwell-${process.ppid}-${randomUUID()}.tmp`,
    ];
    for (const name of [left, ...others]) writeFileSync(join(folder, name), "x".repeat(1000));
    const links = [join(folder, `.stepwell-${"1".repeat(32)}.tmp`), join(folder, `.stepwell-${"2".repeat(32)}.tmp`)];
    symlinkSync("model.safetensors.1.0.tmp", links[0] as string);
    mkdirSync(links[1] as string);
    k.save(layer(), path);
    expect(readdirSync(folder).sort()).toEqual(
      ["model.safetensors", ...others, ...links.map((name) => name.slice(folder.length + 1))].sort(),
    );
    for (const name of others) expect(readFileSync(join(folder, name), "utf8")).toBe("x".repeat(1000));
  });

  it.skipIf(differences.streamsFiles)("removes what a worker of a living process left long ago", () => {
    const [old, fresh] = [0, 1].map(() => `.stepwell-${process.pid}-${randomUUID()}.tmp`) as [string, string];
    for (const name of [old, fresh]) writeFileSync(join(folder, name), "x");
    utimesSync(join(folder, old), 0, 0);
    k.save(layer(), path);
    expect(readdirSync(folder).sort()).toEqual([fresh, "model.safetensors"]);
  });

  it("leaves the old file or the new one where it is killed, and no more than one beside it", async () => {
    // More on request, since each starts a process.
    const kills = Number(process.env.STEPWELL_KILLS ?? 10);
    // A file of 8 MB takes long enough to be interrupted.
    const code = `
      import { module, save } from "@stepwell/sdk";
      const m = module(["linear", 1000, 2000]);
      console.log("ready");
      for (;;) save(m, process.argv[1]);`;
    const load = () => k.load(k.module(["linear", 1000, 2000]), path);
    let left = 0;
    for (let i = 0; i < kills; i++) {
      const child = run(code, path);
      expect(await firstLine(child)).toBe("ready");
      if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 20 + 7 * i));
      // A busy machine may write nothing in that time.
      else while (readdirSync(folder).every((name) => name === "model.safetensors")) await setImmediate();
      child.kill("SIGKILL");
      await once(child, "exit");
      const names = readdirSync(folder);
      const scratch = names.filter((name) => name !== "model.safetensors");
      // Each process removes what the one before it left.
      expect(scratch.length).toBeLessThanOrEqual(1);
      left += scratch.length;
      if (names.includes("model.safetensors")) load();
    }
    expect(left).toBeGreaterThan(0);
    k.save(k.module(["linear", 1000, 2000]), path);
    load();
    expect(readdirSync(folder)).toEqual(["model.safetensors"]);
  });

  it("of several processes at once, also of one number, gives the file of one of them", async () => {
    const code = `
      import { module, save } from "@stepwell/sdk";
      Object.defineProperty(process, "pid", { value: 7 });
      const m = module(["linear", 300, 300]);
      for (let i = 0; i < 60; i++) save(m, process.argv[1]);
      console.log("saved");`;
    const children = [run(code, path), run(code, path), run(code, path)];
    expect(await Promise.all(children.map(firstLine))).toEqual(["saved", "saved", "saved"]);
    k.load(k.module(["linear", 300, 300]), path);
    expect(readdirSync(folder)).toEqual(["model.safetensors"]);
  });

  it("where there is no room leaves the old file", async () => {
    k.save(layer(), path);
    const before = readFileSync(path);
    // The shell limits the length of files, in units of 1,024 bytes or 512.
    const code = `
      import { module, save } from "@stepwell/sdk";
      process.on("SIGXFSZ", () => {});
      try { save(module(["linear", 1000, 1000]), process.argv[1]); } catch (error) { console.log(error.code); }`;
    const cwd = fileURLToPath(new URL(".", import.meta.url));
    const command = 'ulimit -f 1000; exec "$0" --input-type=module -e "$1" "$2"';
    const child = spawn("sh", ["-c", command, process.execPath, code, path], { cwd, stdio: ["ignore", "pipe", 2] });
    expect(await firstLine(child)).toBe("ERR_FILE");
    await once(child, "exit");
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(["model.safetensors"]);
  });

  it("of a file that somebody cuts off meanwhile is an error of the next load and not a crash", () => {
    k.save(layer(), path);
    truncateSync(path, statSync(path).size - 1);
    expectError("ERR_FORMAT", () => expectLoads(path));
  });
});
