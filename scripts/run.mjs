// What `npm run demo`, `npm run playground`, `npm test` and `npm run bench` run: setup, and then the thing itself.

import { delimiter, dirname, join } from "node:path";
import { provideChromium } from "./chromium.mjs";
import { ask, bin, cargoEnvironment, main, root, run } from "./command.mjs";
import { installPeers } from "./packages.mjs";
import { buildPlayground, servePlayground } from "./playground.mjs";
import { setup } from "./setup.mjs";

const nextestVersion = "0.9.143";

const things = {
  demo,
  bench,
  playground,
  test,
};

/** Builds the contenders that are Rust programs and tells the benchmark where they are. */
async function bench(args) {
  const output = await run(
    "cargo",
    ["build", "--release", "--locked", "-p", "stepwell-bench", "--message-format", "json-render-diagnostics"],
    { env: cargoEnvironment(), capture: true },
  );
  // Cargo's messages name the programs, wherever the user's target folder is.
  const messages = output.split("\n").filter(Boolean);
  const program = messages.map((line) => JSON.parse(line).executable).find(Boolean);
  if (args.includes("--install-peers")) await installPeers();
  await run(process.execPath, ["bench/dist/main.js", ...args.filter((arg) => arg !== "--install-peers")], {
    env: { ...process.env, STEPWELL_BENCH_PROGRAMS: dirname(program) },
  });
}

/** The demo says by itself what went wrong, or that Ctrl-C ended it; only its exit code is left to pass on. */
async function demo(args) {
  process.on("SIGINT", () => {});
  try {
    await run(process.execPath, ["examples/digits/dist/main.js", ...args]);
  } catch (error) {
    if (!error.status) throw error;
    process.exitCode = error.status;
  }
}

/** Builds the page and serves it on this machine. Arguments go to `vite preview`, such as `--port 8080` or `--open`. */
async function playground(args) {
  await buildPlayground();
  await servePlayground(args);
}

/** Every check, the quick ones first, up to the first that fails. Arguments go to vitest. */
async function test(args) {
  const env = await withNextest(cargoEnvironment());
  await step("cargo", ["fmt", "--check"], { env });
  await step("cargo", ["clippy", "--release", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], {
    env,
  });
  await step(bin("biome"), ["check"]);
  await step("cargo", ["nextest", "run", "--release", "--workspace", "--locked"], { env });
  await provideChromium();
  await step(bin("vitest"), ["run", ...args]);
}

async function step(command, args, options) {
  console.error(`\ntest: ${command.replace(join(root, "node_modules", ".bin", "/"), "")} ${args.join(" ")}`);
  await run(command, args, options);
}

/** The environment in which `cargo nextest` is there: it is installed into the repository where the machine has none. */
async function withNextest(env) {
  const folder = join(root, ".nextest");
  const extended = { ...env, PATH: `${env.PATH}${delimiter}${join(folder, "bin")}` };
  if (ask("cargo", ["nextest", "--version"], { env: extended }) === undefined) {
    console.error(`test: installing cargo-nextest ${nextestVersion} into ${folder}`);
    await run("cargo", ["install", "cargo-nextest", "--version", nextestVersion, "--locked", "--root", folder], {
      env,
    });
  }
  return extended;
}

await main(async () => {
  const [thing, ...args] = process.argv.slice(2);
  if (!Object.hasOwn(things, thing))
    throw Object.assign(new Error(`run.mjs wants one of ${Object.keys(things).join(", ")}, not "${thing ?? ""}".`), {
      code: "ERR_USAGE",
    });
  const { noWasm } = await setup();
  // The other things run on the native engine.
  if (noWasm && (thing === "test" || thing === "playground")) throw noWasm;
  await things[thing](args);
});
