import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // The TypeScript build leaves a compiled copy of every test, which is not to run a second time.
    exclude: [...configDefaults.exclude, "**/dist/**"],
    // libtorch keeps every core busy from a single process; several at once only disturb each other.
    pool: "forks",
    maxWorkers: 1,
    // A test waits for the garbage collector.
    execArgv: ["--expose-gc"],
  },
});
