// The long run, and a failure again, by the command that a run prints:
//
// ```sh
// node test/dist/random-operations/main.js --operations 2000000 --seed 1 --engine wasm
// node test/dist/random-operations/main.js --engine wasm --replay 17 --places 3,8
// ```

import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    engine: { type: "string", default: "native" },
    replay: { type: "string" },
    places: { type: "string" },
    /** In this process, for another one. */
    here: { type: "boolean", default: false },
  },
});

const places = values.places?.split(",").filter(Boolean).map(Number);

if (values.replay !== undefined && !values.here) {
  // The engine is chosen before the SDK is loaded.
  const { status, signal } = spawnSync(process.execPath, ["--expose-gc", ...process.argv.slice(1), "--here"], {
    stdio: "inherit",
    env: { ...process.env, STEPWELL_ENGINE: values.engine },
  });
  if (signal) console.log(`// it ended with ${signal}`);
  process.exitCode = status ?? 2;
} else if (values.here) {
  const { inFolder, runSequences, replay } = await import("./child.js");
  const seed = Number(values.replay ?? values.seed);
  await inFolder(() =>
    values.replay === undefined ? runSequences(seed, Number(values.operations)) : replay(seed, places),
  );
} else {
  const { longRun } = await import("./long-run.js");
  process.exitCode = await longRun(values.engine, Number(values.seed), Number(values.operations));
}
