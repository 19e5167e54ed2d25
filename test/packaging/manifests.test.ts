// The manifests of the tarballs: for a project that installs them from files, and as a registry serves them.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pack, tarballOf } from "./packed.js";

const folder = mkdtempSync(join(tmpdir(), "manifests-"));
const forms = { files: join(folder, "files"), registry: join(folder, "registry") };
beforeAll(() => {
  pack(forms.files);
  pack(forms.registry, ["--registry"]);
});
afterAll(() => rmSync(folder, { recursive: true }));

type Manifest = Readonly<Record<string, unknown>> & { readonly version: string };

function manifest(form: keyof typeof forms, name: string): Manifest {
  const tarball = tarballOf(forms[form], name);
  const text = execFileSync("tar", ["-xzOf", tarball, "package/package.json"], { encoding: "utf8" });
  expect(text).not.toMatch(/"(?:workspace|catalog|file|link):/);
  return JSON.parse(text) as Manifest;
}

describe("the SDK", () => {
  it("takes the other packages from the project, if it is installed from a file", () => {
    const { version, ...sdk } = manifest("files", "sdk");
    expect(sdk).toMatchObject({
      dependencies: {},
      optionalDependencies: {},
      peerDependencies: { "@stepwell/wasm": version, "@stepwell/native": version },
      peerDependenciesMeta: { "@stepwell/native": { optional: true } },
    });
  });

  it("takes the other packages from the registry, if it comes from there", () => {
    const { version, ...sdk } = manifest("registry", "sdk");
    expect(sdk).toMatchObject({
      dependencies: { "@stepwell/wasm": version },
      optionalDependencies: { "@stepwell/native": version },
    });
    expect(sdk).not.toHaveProperty("peerDependencies");
  });
});

describe.each(["native", "sdk", "wasm", "cli", "stepwell"])("%s", (name) => {
  it.each(["files", "registry"] as const)("says what it is, for %s", (form) => {
    const { description, keywords, license, engines, version } = manifest(form, name);
    expect(version).toBe(manifest("files", "sdk").version);
    expect({ license, engines }).toEqual({ license: "MIT", engines: { node: "^20.19.0 || >=22.12.0" } });
    expect(description).toMatch(/\w+ \w+/);
    expect((keywords as readonly string[]).length).toBeGreaterThan(5);
  });
});
