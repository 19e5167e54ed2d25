// F5: libFuzzer on files, options, modules and calls, with the address sanitizer. It needs a nightly compiler and cargo-fuzz.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

const crate = fileURLToPath(new URL("../fuzz/", import.meta.url).href.replace("/test/dist/", "/test/"));
const targets = ["file", "options", "module", "calls"];

/** In seconds, 25: an input that takes longer hangs. In MiB, 4,096: more memory than any input may need. */
const limits = ["-timeout=25", "-rss_limit_mb=4096", "-max_len=4096"];

function fuzz({ folder, scale, seed, remaining }: Context, chosen: readonly string[]): Outcome {
  const tally = new Tally();
  const figures: Record<string, number> = {};
  for (const [i, target] of chosen.entries()) {
    const corpus = join(folder, target);
    mkdirSync(corpus, { recursive: true });
    const seeds = join(crate, "seeds", target);
    const artifacts = `${join(folder, `failure-${target}`)}-`;
    const runs = sized(scale, 20_000, 500_000, 12_500_000);
    const options = [
      `-runs=${runs}`,
      `-max_total_time=${Math.ceil(Math.max(remaining(), 1) / (chosen.length - i))}`,
      `-seed=${seed}`,
      `-artifact_prefix=${artifacts}`,
      "-print_final_stats=1",
      ...limits,
    ];
    const folders = existsSync(seeds) ? [corpus, seeds] : [corpus];
    const args = ["+nightly", "fuzz", "run", "--fuzz-dir", ".", target, ...folders, "--", ...options];
    const { status, stderr } = spawnSync("cargo", args, { cwd: crate, encoding: "utf8", maxBuffer: 2 ** 28 });
    const made = Number(
      /stat::number_of_executed_units:\s*(\d+)/.exec(stderr)?.[1] ?? /^#(\d+)/gm.exec(stderr)?.[1] ?? 0,
    );
    figures[target] = made;
    tally.count += Math.max(made, 1);
    if (status === 0) continue;
    const kept = join(tmpdir(), `stepwell-fuzz-${target}-${seed}`);
    cpSync(folder, kept, { recursive: true });
    tally.fail(
      `${target}: ${/panicked at[\s\S]{0,300}|ERROR: [^\n]*/.exec(stderr)?.[0] ?? stderr.slice(-300)}; see ${kept}`,
    );
  }
  return tally.outcome(figures);
}

export const fuzzing: Rig = {
  fault: "F5",
  name: "fuzz",
  about: "libFuzzer with the address sanitizer on files, options, modules and calls",
  problem: () => {
    const { status } = spawnSync("cargo", ["+nightly", "fuzz", "--version"], { cwd: crate });
    return status === 0 ? undefined : "it needs a nightly compiler of Rust and cargo-fuzz";
  },
  smallRun: "crates/checkpoint, test/random-operations",
  run: async (context) => fuzz(context, targets),
  planted: { "a text that panics": async (context) => fuzz(context, ["planted"]) },
};
