// Bytes from elsewhere are those that were pinned, or they are refused.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { downloadWheels, unpackWheels } from "../../packages/native/fetch/wheels.js";
import { pinned } from "../../packages/native/libtorch.js";

const root = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "stepwell-tampered-"));
afterAll(() => rmSync(folder, { recursive: true }));

const wheel = { name: "stepwell-probe", version: "1.0", tag: "any", size: 1, files: ["probe/library.so"] };
const file = "stepwell_probe-1.0-py3-none-any.whl";
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** A wheel of one library, by Python's own archiver. */
const program = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("probe/library.so", bytes(range(256)) * 64)
    archive.writestr("stepwell_probe-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: stepwell-probe\\nVersion: 1.0\\n")
    archive.writestr("stepwell_probe-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    archive.writestr("stepwell_probe-1.0.dist-info/RECORD", "")
`;

describe("a wheel with a flipped byte", () => {
  const source = join(folder, "source");
  let good: Buffer;

  beforeAll(() => {
    mkdirSync(source);
    expect(spawnSync("python3", ["-c", program, join(source, file)]).status).toBe(0);
    good = readFileSync(join(source, file));
  });

  it("is not unpacked", async () => {
    const unpack = async (bytes: Buffer) => {
      const here = mkdtempSync(join(folder, "unpack-"));
      writeFileSync(join(here, file), bytes);
      await unpackWheels(here, join(here, "tree"), [{ ...wheel, sha256: sha256(good) }]).finally(() => {
        expect(existsSync(join(here, "tree"))).toBe(bytes === good);
      });
      return join(here, "tree", "probe", "library.so");
    };
    expect(readFileSync(await unpack(good))).toHaveLength(256 * 64);
    for (const place of [0, 100, good.length >> 1, good.length - 1]) {
      const tampered = Buffer.from(good);
      tampered[place] = (tampered[place] as number) ^ 1;
      await expect(unpack(tampered)).rejects.toMatchObject({
        code: "ERR_LIBTORCH_FETCH",
        message: expect.stringContaining("is not the file that Stepwell was tested with"),
      });
    }
  });

  it("is not taken by pip, if an index serves it", async () => {
    const before = { ...process.env };
    Object.assign(process.env, { PIP_NO_INDEX: "1", PIP_FIND_LINKS: source });
    try {
      const download = async () => {
        const here = mkdtempSync(join(folder, "download-"));
        await downloadWheels(here, [{ ...wheel, sha256: sha256(good) }], "probe");
        return readdirSync(here);
      };
      expect(await download()).toContain(file);
      const tampered = Buffer.from(good);
      tampered[1000] = (tampered[1000] as number) ^ 1;
      writeFileSync(join(source, file), tampered);
      await expect(download()).rejects.toMatchObject({
        code: "ERR_LIBTORCH_FETCH",
        message: expect.stringContaining("HASHES"),
      });
    } finally {
      process.env = before;
    }
  });
});

describe("what is fetched", () => {
  const scripts = readdirSync(join(root, "scripts")).filter((name) => name.endsWith(".mjs"));
  const textOf = (path: string) => readFileSync(join(root, path), "utf8");

  it("has a version, a size and a SHA-256: every wheel of libtorch", () => {
    const wheels = Object.values(pinned.platforms).flat();
    expect(wheels.length).toBeGreaterThan(3);
    for (const { sha256, size } of wheels) {
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(size).toBeGreaterThan(0);
    }
  });

  it("is what the lockfiles say: Cargo and pnpm are told to keep to them", () => {
    for (const name of scripts) {
      const text = textOf(`scripts/${name}`);
      const commands = [...text.matchAll(/\["(build|clippy|nextest|install|test)",[^\]]*\]/g)].map(
        ([command]) => command,
      );
      for (const command of commands) {
        if (/"(?:cargo-nextest|--release|--profile|wasm-bindgen)/.test(command))
          expect(command, name).toContain('"--locked"');
      }
      for (const [install] of text.matchAll(/pnpm\(\[[^\]]*"install"[^\]]*\]/g))
        expect(install, name).toContain('"--frozen-lockfile"');
    }
  });

  it("has a checksum in each lockfile, and comes from no other place than a registry", () => {
    for (const lock of ["Cargo.lock", "scripts/wasm-bindgen/Cargo.lock", "test/fuzz/Cargo.lock"]) {
      const packages = textOf(lock).split("[[package]]").slice(1);
      expect(packages.length).toBeGreaterThan(5);
      for (const text of packages) {
        if (!text.includes("source = ")) continue;
        expect(text).toMatch(
          /source = "registry\+https:\/\/github\.com\/rust-lang\/crates\.io-index"\nchecksum = "[0-9a-f]{64}"/,
        );
      }
    }
    for (const lock of ["pnpm-lock.yaml", "test/install/tools/pnpm-lock.yaml", "bench/peers/pnpm-lock.yaml"]) {
      const resolutions = [...textOf(lock).matchAll(/^ {4}resolution: (.*)$/gm)].map(([, text]) => text);
      expect(resolutions.length).toBeGreaterThan(3);
      expect(resolutions.filter((text) => !/^\{integrity: sha512-[\w+/=]+\}$/.test(text as string))).toEqual([]);
    }
  });
});
