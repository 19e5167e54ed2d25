// F21: the tests of the crates with unsafe code, in builds with the address sanitizer, overflow checks and debug assertions.

import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Context, type Outcome, type Rig, Tally } from "./rig.js";

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url).href.replace("/test/dist/", "/test/"));
const root = join(here(".."), "..");
const crates = ["stepwell-optim", "stepwell-checkpoint", "stepwell-matrix", "stepwell-engine-rust"];

/** The pinned compiler takes options of a nightly one with RUSTC_BOOTSTRAP. */
const env = {
  ...process.env,
  RUSTC_BOOTSTRAP: "1",
  RUSTFLAGS: "-Zsanitizer=address",
  CARGO_TARGET_DIR: join(root, "target", "address-sanitizer"),
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_DEBUG: "line-tables-only",
  CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS: "true",
  CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS: "true",
  // As an allocator of the system: tests ask for more memory than there is.
  ASAN_OPTIONS: "allocator_may_return_null=1",
};

/** Counts allocations and page faults, of which the sanitizer makes its own. */
const skipped = "a_steady_step_allocates_nothing_and_faults_on_no_page";

/** The target has a name, so that build scripts and macros are built without the sanitizer. */
const targetOf = () => /^host: (.+)$/m.exec(spawnSync("rustc", ["-vV"], { encoding: "utf8" }).stdout ?? "")?.[1] ?? "";

async function tests({ remaining }: Context): Promise<Outcome> {
  const tally = new Tally();
  const packages = crates.flatMap((name) => ["-p", name]);
  const args = [
    "test",
    "--release",
    "--locked",
    "--target",
    targetOf(),
    "--lib",
    "--tests",
    "--no-fail-fast",
    ...packages,
    "--",
    "--skip",
    skipped,
  ];
  const child = spawn("cargo", args, { cwd: root, env });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece) => {
      text += piece;
    });
  }
  let isOver = false;
  const look = () => {
    isOver = remaining() <= 0;
    if (isOver) child.kill();
  };
  const timer = setInterval(look, 1000);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearInterval(timer);
  tally.count = [...text.matchAll(/^test .* \.\.\. ok$/gm)].length;
  for (const [failure] of text.matchAll(/^(test .* FAILED|.*ERROR: AddressSanitizer.*|error.*)$/gm))
    tally.fail(failure);
  if (code !== 0 && !isOver && tally.found === 0) tally.fail(text.slice(-2_000));
  return tally.outcome();
}

function planted({ folder }: Context): Outcome {
  const tally = new Tally();
  const program = join(folder, "planted");
  const args = ["-Zsanitizer=address", "--edition", "2024", "-o", program, here("planted-read.rs")];
  const { status, stderr } = spawnSync("rustc", args, { cwd: root, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`planted-read.rs does not compile: ${stderr}`);
  const run = spawnSync(program, { encoding: "utf8" });
  tally.check(/ERROR: AddressSanitizer: .*/.exec(run.stderr)?.[0]);
  return tally.outcome();
}

export const crateMemory: Rig = {
  fault: "F21",
  name: "address-sanitizer",
  about:
    "the crates without libtorch read and write their own memory only, by the tests of each with the address sanitizer",
  problem: () => {
    const { status } = spawnSync("rustc", ["-Zsanitizer=address", "--print", "cfg"], { cwd: root, env });
    return status === 0 ? undefined : "it needs a compiler of Rust with the address sanitizer for this platform";
  },
  smallRun: "crates, without the sanitizer",
  run: tests,
  planted: { "a read of freed memory": async (context) => planted(context) },
};
