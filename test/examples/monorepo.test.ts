import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { libtorch } from "@stepwell/native";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pack } from "../packaging/packed.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "monorepo-"));
let server: ChildProcess | undefined;
afterAll(() => {
  server?.kill();
  rmSync(folder, { recursive: true });
});

/** Runs a program in the copy, and expects that it succeeds. Returns its output. */
function run(command: string, args: readonly string[], cwd = folder): string {
  const env = { ...process.env, NODE_PATH: "", LIBTORCH: libtorch.path };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", env });
  expect({ status, output: status === 0 ? "" : stdout + stderr }).toEqual({ status: 0, output: "" });
  return stdout;
}

beforeAll(() => {
  cpSync(join(root, "examples", "monorepo"), folder, { recursive: true });
  pack(join(folder, "tarballs"), ["--registry"]);
  // The compiler of this repository: an install of another one would ask a registry.
  const path = join(folder, "package.json");
  const { devDependencies, ...manifest } = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify(manifest));
  const program = `import("./scripts/packages.mjs").then(({ pnpm }) => pnpm(process.argv.slice(1)))`;
  run(process.execPath, ["-e", program, "--", "--dir", folder, "install", "--offline"], root);
  for (const name of Object.keys(devDependencies)) {
    mkdirSync(join(folder, "node_modules", "@types"), { recursive: true });
    symlinkSync(realpathSync(join(root, "node_modules", name)), join(folder, "node_modules", name));
  }
});

it("states the versions of this repository", () => {
  const { devDependencies } = JSON.parse(readFileSync(join(root, "examples/monorepo/package.json"), "utf8"));
  const catalog = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  for (const [name, version] of Object.entries(devDependencies)) {
    expect(catalog).toMatch(new RegExp(`^  "?${name}"?: ${version}$`, "m"));
  }
});

it("gives all packages of the workspace one copy of the SDK", () => {
  const copies = ["packages/model", "apps/trainer", "apps/server"].map((name) =>
    realpathSync(join(folder, name, "node_modules/@stepwell/sdk")),
  );
  expect(new Set(copies).size).toBe(1);
  expect(copies[0]).toContain("tarballs");
});

it("compiles, trains, and answers with the file of the training", async () => {
  run(process.execPath, ["node_modules/typescript/bin/tsc", "--build"]);
  const [, right] = /^small or large: (\d+) % right on native\n$/.exec(run("npm", ["run", "--silent", "train"])) ?? [];
  expect(Number(right)).toBeGreaterThan(90);

  const env = { ...process.env, NODE_PATH: "", LIBTORCH: libtorch.path, PORT: "0" };
  const started = spawn(process.execPath, ["apps/server/dist/main.js"], { cwd: folder, env });
  server = started;
  const address = await new Promise<string>((resolve, reject) => {
    started.stdout.on("data", (line) => resolve(String(line).split("/?")[0] ?? ""));
    started.on("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  const ask = async (question: string) => (await fetch(`${address}/?${question}`)).json();
  expect(await ask("length=5&width=2")).toEqual({ kind: "large" });
  expect(await ask("length=1&width=1")).toEqual({ kind: "small" });
  expect(await ask("length=long")).toEqual({ error: "length and width in centimetres" });
});
