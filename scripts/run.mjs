// The commands that npm runs, such as `npm run demo` and `npm test`: set-up, then the command.

import { delimiter, dirname, join } from "node:path";
import { provideChromium } from "./chromium.mjs";
import { bin, cargoEnvironment, main, outputOf, root, run } from "./command.mjs";
import { buildDocs, serveDocs } from "./docs.mjs";
import { pack } from "./pack.mjs";
import { packGpu, testGpu } from "./pack-gpu.mjs";
import { installPeers, installTools } from "./packages.mjs";
import { buildPlayground, servePlayground } from "./playground.mjs";
import { parts, setup } from "./setup.mjs";
import { provideTool } from "./tools.mjs";

const nextestVersion = "0.9.143";

const commands = {
  demo,
  bench,
  docs,
  pack,
  "pack-gpu": packGpu,
  playground,
  test,
  "test:faults": testFaults,
  "test:gpu": testGpu,
  "test:install": testInstall,
};

/** Builds the contenders that are Rust programs and runs the benchmark, which gets their folder in STEPWELL_BENCH_PROGRAMS. */
async function bench(args) {
  const output = await run(
    "cargo",
    ["build", "--release", "--locked", "-p", "stepwell-bench", "--message-format", "json-render-diagnostics"],
    { env: cargoEnvironment(), capture: true },
  );
  // The messages of Cargo contain the paths of the programs, which depend on the user's target folder.
  const messages = output.split("\n").filter(Boolean);
  const program = messages.map((line) => JSON.parse(line).executable).find(Boolean);
  if (args.includes("--install-peers")) await installPeers();
  await run(process.execPath, ["bench/dist/main.js", ...args.filter((arg) => arg !== "--install-peers")], {
    env: { ...process.env, STEPWELL_BENCH_PROGRAMS: dirname(program) },
  });
}

/** Runs the demo and passes on its exit code. It prints its own errors, and a message after Ctrl-C. */
async function demo(args) {
  process.on("SIGINT", () => {});
  try {
    await run(process.execPath, ["examples/digits/dist/main.js", ...args]);
  } catch (error) {
    if (!error.status) throw error;
    process.exitCode = error.status;
  }
}

/** Builds the site of the documentation and serves it on this machine. Arguments go to `vitepress preview`, such as `--port 8080`. */
async function docs(args) {
  await buildDocs();
  await serveDocs(args);
}

/** Builds the page and serves it on this machine. Arguments go to `vite preview`, such as `--port 8080` or `--open`. */
async function playground(args) {
  await buildPlayground();
  await servePlayground(args);
}

/** Runs every check, quick ones first, and stops at the first failure. Arguments go to vitest. */
async function test(args) {
  const env = await withNextest(cargoEnvironment());
  await step("cargo", ["fmt", "--check"], { env });
  await step("cargo", ["clippy", "--release", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], {
    env,
  });
  await step(bin("biome"), ["check"]);
  await step(bin("knip"), ["--no-config-hints"]);
  await spelling();
  await crates(env);
  // Crates for WebAssembly have no tests. With them Cargo would compile most crates a second time, for another set of features.
  const excluded = ["stepwell-wasm", "stepwell-wasm-bindings"].flatMap((name) => ["--exclude", name]);
  await step("cargo", ["nextest", "run", "--release", "--workspace", ...excluded, "--locked"], { env });
  await provideChromium();
  await step(bin("vitest"), ["run", ...args]);
}

/** Injects faults for minutes or hours. Arguments go to test/faults/main.ts, which prints a table of figures. */
async function testFaults(args) {
  await run(process.execPath, ["--expose-gc", "test/dist/faults/main.js", ...args]);
}

/** Installs Node versions, package managers and bundlers, and prints a table of projects. Arguments choose rows by their text. */
async function testInstall(args) {
  const tools = await installTools();
  await run(process.execPath, ["test/dist/install/main.js", tools, ...args]);
}

/** Looks for misspelled words in the files of the repository. */
async function spelling() {
  const typos = await provideTool("typos");
  if (typos) await step(typos, ["--force-exclude", "."]);
}

/** Checks the licences and the sources of crates. Known vulnerabilities need a network: `cargo deny check advisories`. */
async function crates(env) {
  const deny = await provideTool("cargo-deny");
  if (!deny) return;
  // The lockfile has crates of other platforms, which no build here has downloaded.
  await step("cargo", ["fetch", "--locked"], { env });
  await step(deny, ["--offline", "--locked", "check", "bans", "licenses", "sources"], { env });
}

async function step(command, args, options) {
  console.error(`\ntest: ${command.replace(join(root, "node_modules", ".bin", "/"), "")} ${args.join(" ")}`);
  await run(command, args, options);
}

/** An environment with `cargo nextest`, which is installed into the repository if the machine has none. */
async function withNextest(env) {
  const folder = join(root, ".nextest");
  const extended = { ...env, PATH: `${env.PATH}${delimiter}${join(folder, "bin")}` };
  if (outputOf("cargo", ["nextest", "--version"], { env: extended }) === undefined) {
    console.error(`test: installing cargo-nextest ${nextestVersion} into ${folder}`);
    await run("cargo", ["install", "cargo-nextest", "--version", nextestVersion, "--locked", "--root", folder], {
      env,
    });
  }
  return extended;
}

await main(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (!Object.hasOwn(commands, name))
    throw Object.assign(new Error(`run.mjs wants one of ${Object.keys(commands).join(", ")}, not "${name ?? ""}".`), {
      code: "ERR_USAGE",
    });
  const { noWasm } = await setup(Object.hasOwn(parts, name) ? parts[name] : parts.everything);
  // The benchmark leaves out what is not built.
  if (noWasm && name !== "bench") throw noWasm;
  await commands[name](args);
});
