import { configDefaults, defineConfig } from "vitest/config";

const settings = {
  // The TypeScript build leaves a compiled copy of every test, which is not to run a second time.
  exclude: [...configDefaults.exclude, "**/dist/**"],
  // A test waits for the garbage collector.
  execArgv: ["--expose-gc"],
  // What a page shows in a moment takes longer on a machine that does other things too.
  expect: { poll: { timeout: 10_000 } },
};

export default defineConfig({
  test: {
    // libtorch keeps every core busy from a single process; several at once only disturb each other.
    pool: "forks",
    maxWorkers: 1,
    projects: [
      { test: { ...settings, name: "native", env: { STEPWELL_ENGINE: "native" } } },
      {
        test: {
          ...settings,
          name: "wasm",
          // What is the same for every engine; test/engine.ts has what is not.
          include: [
            "test/{contract,parity,transcript}/**/*.test.ts",
            "test/playground/{code,digits,options,race,theory}.test.ts",
          ],
          env: { STEPWELL_ENGINE: "wasm" },
        },
      },
    ],
  },
});
