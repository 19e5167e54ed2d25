import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { libtorch } from "@stepwell/native";
import { afterAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "install-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (command: string, args: string[], cwd: string) =>
  execFileSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, LIBTORCH: libtorch.path },
    stdio: "pipe",
  });

it("installs into an empty project from packed packages, without scripts, and trains there", {
  timeout: 120_000,
}, () => {
  for (const name of ["native", "sdk"]) {
    const source = join(root, "packages", name);
    const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
    expect(Object.keys(manifest.scripts ?? {}).filter((script) => /install|prepare/.test(script))).toEqual([]);
    run("npm", ["pack", "--silent", "--pack-destination", folder], source);
  }
  const packed = readdirSync(folder).filter((file) => file.endsWith(".tgz"));
  const file = (name: string) => `file:${packed.find((candidate) => candidate.includes(name))}`;
  const packages = { "@stepwell/native": file("native"), "@stepwell/sdk": file("sdk") };
  // Neither is on a registry, so the SDK's own dependency is told where the other package is.
  const manifest = { type: "module", dependencies: packages, overrides: { "@stepwell/native": "$@stepwell/native" } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  run("npm", ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"], folder);
  const program = `
    import { grad, opt, step, tensor } from "@stepwell/sdk";
    const x = tensor([1, 2], "grad", "double");
    const o = opt("sgd", x, 0.5);
    grad(x, [1, 1]);
    step(o);
    console.log(tensor(x));
  `;
  writeFileSync(join(folder, "train.js"), program);
  expect(run(process.execPath, ["train.js"], folder)).toBe("[ 0.5, 1.5 ]\n");
});
