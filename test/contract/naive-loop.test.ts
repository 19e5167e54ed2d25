// Memory of a training that frees nothing and never waits, so that no callback of the garbage collector runs.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const program = fileURLToPath(new URL("../dist/contract/naive-program.js", import.meta.url));

it("2,000 steps of a small transformer without free take no more memory than 200", () => {
  // Without --expose-gc, as programs run.
  const output = execFileSync(process.execPath, [program], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const sizes = output.trim().split("\n").map(Number);
  expect(sizes).toHaveLength(20);
  const after200 = sizes[1] as number;
  expect(Math.max(...sizes.slice(2)), `MiB after each 100 steps: ${sizes.map(Math.round)}`).toBeLessThan(
    1.05 * after200,
  );
});
