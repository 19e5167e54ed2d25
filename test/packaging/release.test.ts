// The release: its tarballs, their order, and what changesets make of versions.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { platform } from "../../packages/native/libtorch.js";
import { pack } from "./packed.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "release-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Manifest = Readonly<Record<string, Readonly<Record<string, string>>>> & { readonly version: string };
const manifest = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Manifest;

describe("the tarballs of a release", () => {
  it("have one version, and come before those that depend on them", async () => {
    const { releaseOf } = (await import(join(root, "scripts", "publish.mjs"))) as {
      releaseOf(folder: string): readonly { readonly name: string }[];
    };
    pack(folder, ["--registry"]);
    const names = ["native-", "native", "wasm", "sdk", "cli"].map((name) => `@stepwell/${name}`);
    expect(releaseOf(folder).map(({ name }) => name.replace(platform, ""))).toEqual([...names, "stepwell"]);

    writeFileSync(join(folder, "package.json"), "{}");
    const other = join(folder, "other");
    mkdirSync(join(other, "package"), { recursive: true });
    writeFileSync(join(other, "package", "package.json"), '{ "name": "@stepwell/sdk", "version": "9.9.9" }');
    execFileSync("tar", ["-czf", join(folder, "stepwell-sdk-9.9.9.tgz"), "-C", other, "package"]);
    expect(() => releaseOf(folder)).toThrow(/Expected tarballs of one version/);
  });
});

describe("changesets", () => {
  it("give all packages the next version, a changelog, and the examples their dependency", () => {
    const copy = join(folder, "repository");
    const listed = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).split("\n");
    const manifests = listed.filter((file) => /package\.json$|^pnpm-|^\.changeset\//.test(file));
    for (const file of manifests) cpSync(join(root, file), join(copy, file));
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    const git = (...args: readonly string[]) => execFileSync("git", args, { cwd: copy });
    git("init", "--quiet", "--initial-branch=main");
    git("add", "package.json", "packages");
    git("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message=Begin");

    const before = manifest(join(copy, "packages/sdk/package.json")).version;
    const [major = 0, minor = 0] = before.split(".").map(Number);
    writeFileSync(join(copy, ".changeset/one.md"), '---\n"@stepwell/sdk": minor\n---\n\nAdd a function.\n');
    execFileSync(join(copy, "node_modules/.bin/changeset"), ["version"], { cwd: copy, stdio: "pipe" });

    const next = `${major}.${minor + 1}.0`;
    for (const name of readdirSync(join(copy, "packages"))) {
      expect(manifest(join(copy, "packages", name, "package.json")).version, name).toBe(next);
    }
    expect(readFileSync(join(copy, "packages/sdk/CHANGELOG.md"), "utf8")).toContain(`## ${next}`);
    expect(readFileSync(join(copy, "packages/sdk/CHANGELOG.md"), "utf8")).toContain("- Add a function.");
    for (const name of ["browser", "fine-tune", "service"]) {
      expect(manifest(join(copy, "examples", name, "package.json")).dependencies?.["@stepwell/sdk"]).toBe(next);
    }
    expect(manifest(join(copy, "test/package.json")).version).toBe("0.0.0");
  });
});
