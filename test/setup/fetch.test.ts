// A fetch that breaks off leaves no half of a folder, and the next one goes on. A real pip asks an index on this machine.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Fetch, fetchInto } from "../../packages/native/fetch/fetch-into.js";
import { pipClient } from "../../packages/native/fetch/python-client.js";
import type { Wheel } from "../../packages/native/fetch/wheels.js";

const root = mkdtempSync(join(tmpdir(), "stepwell-fetch-"));
const wheels: Wheel[] = [];

/** A wheel of one library, by Python's own archiver. */
const program = `
import sys, zipfile
path, name, count = sys.argv[1:]
with zipfile.ZipFile(path, "w") as archive:
    archive.writestr(name + "/library.so", bytes(range(256)) * int(count))
    info = name + "-1.0.dist-info/"
    archive.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: " + name.replace("_", "-") + "\\nVersion: 1.0\\n")
    archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    archive.writestr(info + "RECORD", "")
`;
const fileOf = ({ name }: { readonly name: string }) => `${name.replaceAll("-", "_")}-1.0-py3-none-any.whl`;

/** Files that were asked for, and the file that breaks off in the middle or comes slowly. */
let asked: string[] = [];
let broken: string | undefined;
let slow: string | undefined;
const index = createServer((request, response) => {
  const name =
    decodeURIComponent(request.url ?? "")
      .split("/")
      .filter(Boolean)
      .at(-1) ?? "";
  const path = join(root, name);
  if (!name.endsWith(".whl")) {
    const found = wheels.find((wheel) => wheel.name === name);
    response.writeHead(found ? 200 : 404, { "content-type": "text/html" });
    response.end(found && `<a href="/files/${fileOf(found)}#sha256=${found.sha256}">${fileOf(found)}</a>`);
    return;
  }
  asked.push(name);
  const bytes = readFileSync(path);
  response.writeHead(200, { "content-length": bytes.length });
  response.write(bytes.subarray(0, bytes.length / 2));
  if (name === broken) setTimeout(() => response.destroy(), 50);
  else setTimeout(() => response.end(bytes.subarray(bytes.length / 2)), name === slow ? 1000 : 0);
});

const before = { ...process.env };
beforeAll(async () => {
  for (const name of ["stepwell-probe-a", "stepwell-probe-b"]) {
    const path = join(root, fileOf({ name }));
    expect(spawnSync("python3", ["-c", program, path, name.replaceAll("-", "_"), "4000"]).status).toBe(0);
    const bytes = readFileSync(path);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const files = [`${name.replaceAll("-", "_")}/library.so`];
    wheels.push({ name, version: "1.0", tag: "any", size: bytes.length, sha256, files });
  }
  await new Promise<void>((resolve) => index.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(index.address() as AddressInfo).port}/simple`;
  Object.assign(process.env, { PIP_INDEX_URL: address, PIP_FIND_LINKS: "", PIP_NO_INDEX: "", PIP_RETRIES: "0" });
});
afterAll(() => {
  process.env = before;
  index.close();
  rmSync(root, { recursive: true });
});

let cache = "";
beforeEach(() => {
  cache = mkdtempSync(join(root, "cache-"));
  [asked, broken, slow] = [[], undefined, undefined];
});

const fetch = (options: Partial<Fetch> = {}) => {
  const final = join(cache, "probe");
  const isWhole = () => wheels.every(({ files }) => existsSync(join(final, files[0] ?? "")));
  return fetchInto({ final, isWhole, wheels, what: "probe", log: () => {}, ...options });
};
const [a = "", b = ""] = ["stepwell-probe-a", "stepwell-probe-b"].map((name) => fileOf({ name }));

/** Gives what this process has left the name of a process that has ended. */
function abandon(): void {
  const [partial = ""] = readdirSync(cache);
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  renameSync(join(cache, partial), join(cache, `probe.partial-${hostname()}-${pid}-abcdef`));
}

describe.skipIf(process.platform === "win32")("a fetch", () => {
  it("goes on with the wheels that an earlier one has downloaded, after its connection broke", async () => {
    broken = b;
    await expect(fetch()).rejects.toMatchObject({
      code: "ERR_LIBTORCH_FETCH",
      message: expect.stringMatching(/^probe was not fetched: .* Run the command again/),
    });
    expect(asked.filter((name) => name === a)).toHaveLength(1);
    expect(existsSync(join(cache, "probe"))).toBe(false);
    abandon();
    [asked, broken] = [[], undefined];
    await fetch();
    expect(asked).toEqual([b]);
    expect(readdirSync(cache)).toEqual(["probe"]);
    for (const { files } of wheels) expect(readFileSync(join(cache, "probe", files[0] ?? ""))).toHaveLength(4000 * 256);
  });

  it("takes no Python that hangs", () => {
    const bin = join(cache, "bin");
    mkdirSync(bin);
    const sleep = spawnSync("/bin/sh", ["-c", "command -v sleep"], { encoding: "utf8" }).stdout.trim();
    for (const name of ["python3", "python"])
      writeFileSync(join(bin, name), `#!/bin/sh\ntrap "" TERM\nexec ${sleep} 1000\n`, { mode: 0o755 });
    expect(pipClient({ PATH: bin }, 100)).toBeUndefined();
  });

  it("takes no wheel of an earlier one that is damaged", async () => {
    broken = b;
    await expect(fetch()).rejects.toMatchObject({ code: "ERR_LIBTORCH_FETCH" });
    abandon();
    const [partial = ""] = readdirSync(cache);
    writeFileSync(join(cache, partial, a), "half of a wheel");
    [asked, broken] = [[], undefined];
    await fetch();
    expect(asked).toEqual([a, b]);
  });

  it("leaves nothing if no wheel was complete, or if the disk has too few bytes", async () => {
    broken = a;
    await expect(fetch()).rejects.toMatchObject({ code: "ERR_LIBTORCH_FETCH" });
    expect(readdirSync(cache)).toEqual([]);
    asked = [];
    await expect(fetch({ unpacked: 1e18 })).rejects.toMatchObject({
      code: "ERR_LIBTORCH_FETCH",
      message: expect.stringMatching(
        /takes 1000000000\d+ MB for a while, and the disk of .* has \d+ MB free\. Free some/,
      ),
    });
    expect(asked).toEqual([]);
    expect(readdirSync(cache)).toEqual([]);
  });

  it("that is killed in a download leaves its wheels to the next one", async () => {
    slow = b;
    const module = JSON.stringify(join(import.meta.dirname, "../../packages/native/fetch/fetch-into.js"));
    const options = JSON.stringify({ final: join(cache, "probe"), wheels, what: "probe" });
    const code = `require(${module}).fetchInto({ ...${options}, isWhole: () => false, log() {} })`;
    const child = spawn(process.execPath, ["-e", code], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("exit", resolve));
    await expect.poll(() => asked).toContain(b);
    child.kill("SIGKILL");
    await ended;
    expect(readdirSync(cache)).toHaveLength(1);
    [asked, slow] = [[], undefined];
    await fetch();
    expect(asked).toEqual([b]);
    expect(readdirSync(cache)).toEqual(["probe"]);
  });

  it("redraws a line on a terminal", async () => {
    slow = b;
    const output = Object.assign(new PassThrough(), { isTTY: true });
    let text = "";
    output.on("data", (bytes) => {
      text += String(bytes);
    });
    await fetch({ output });
    const lines = text.split("\r\x1b[K");
    expect(lines.filter((line) => /^probe: fetched (?:[5-9]\d|100) % of 2 MB$/.test(line)).length).toBeGreaterThan(0);
    expect(lines.at(-1)).toBe("");
  });
});
