import { configDefaults, defineConfig } from "vitest/config";

/**
 * Milliseconds that a test may take, for a test that hangs: no test depends on how fast the machine is. test/suite keeps any
 * other limit out.
 */
const testTimeout = 600_000;

const settings = {
  // The TypeScript build leaves a compiled copy of every test, which is not to run a second time.
  exclude: [...configDefaults.exclude, "**/dist/**"],
  // Node loads the packages. vitest would run the CommonJS entries a second time, which opens a second engine.
  server: { deps: { external: [/[/\\]packages[/\\]\w+[/\\](?:commonjs|import)[/\\]/] } },
  // A test waits for the garbage collector.
  execArgv: ["--expose-gc"],
  testTimeout,
  hookTimeout: testTimeout,
  // Sooner than the test, so that it says what it waited for.
  expect: { poll: { timeout: testTimeout / 2 } },
};

export default defineConfig({
  test: {
    // Most tests wait for processes, browsers and files, or keep one core busy. More workers would need as much more memory.
    pool: "forks",
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...settings,
          name: "native",
          globalSetup: "test/packaging/tarballs.ts",
          env: { STEPWELL_ENGINE: "native" },
        },
      },
      {
        test: {
          ...settings,
          name: "rust",
          // All engines share the session and the formulas, which the other projects test. These tests are about operations, threads,
          // memory and the addon.
          include: [
            "test/contract/{asynchronous,asynchronous-exit,contexts,devices,dtypes,files,fit,invalid-input,layers}.test.ts",
            "test/contract/{lifetimes,losses,model,modules,normalization,operation-edges,operation-shapes}.test.ts",
            "test/contract/{resume,run-files,sequences,small-operations,threads,training,unshared-results,vast-sizes}.test.ts",
            "test/parity/**/*.test.ts",
          ],
          env: { STEPWELL_ENGINE: "rust" },
        },
      },
      {
        test: {
          ...settings,
          name: "wasm",
          // Tests that are equal for every engine; test/engine-differences.ts lists the differences.
          include: [
            "test/{contract,parity,random-operations,transcript}/**/*.test.ts",
            "test/playground/{code,digits,options,race,theory}.test.ts",
            "test/examples/{cnn,curve,recommender}.test.ts",
          ],
          env: { STEPWELL_ENGINE: "wasm" },
        },
      },
    ],
  },
});
