import { configDefaults, defineConfig } from "vitest/config";

/**
 * How long a test may take: it is for one that hangs, and no test depends on how fast the machine is. Other limits are
 * stated nowhere, and test/suite keeps it so.
 */
const testTimeout = 600_000;

const settings = {
  // The TypeScript build leaves a compiled copy of every test, which is not to run a second time.
  exclude: [...configDefaults.exclude, "**/dist/**"],
  // A test waits for the garbage collector.
  execArgv: ["--expose-gc"],
  testTimeout,
  hookTimeout: testTimeout,
  // Sooner than the test, so that it says what it waited for.
  expect: { poll: { timeout: testTimeout / 2 } },
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
          // What is the same for every engine; test/engine-differences.ts has what is not.
          include: [
            "test/{contract,parity,random-operations,transcript}/**/*.test.ts",
            "test/playground/{code,digits,options,race,theory}.test.ts",
          ],
          env: { STEPWELL_ENGINE: "wasm" },
        },
      },
    ],
  },
});
