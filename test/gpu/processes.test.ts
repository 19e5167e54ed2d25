// The end of a child process of a run on a GPU, and the reason that is reported for it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { endOf, reasonIn } from "./processes.js";

it.runIf(process.platform === "linux")(
  "ends with its process, and not with one that holds the pipe of errors",
  async () => {
    const child = spawn("bash", ["-c", `sleep 60 & echo $!; echo 'Error: broken' >&2; exit 3`]);
    const [pid] = await once(child.stdout, "data");
    expect(await endOf(child)).toEqual({ how: "exit code 3", errors: "Error: broken" });
    expect(child.stderr.destroyed).toBe(true);
    // Throws if the process has ended.
    process.kill(Number(pid));
  },
);

it("reports the message of an error, without the source and stack around it", () => {
  const node = `/folder/errors.js:47
        return new StepwellError(code, String(message), options);
               ^

StepwellError: libtorch was not found.
    at start (/folder/start.js:18:41) {
  code: 'ERR_LIBTORCH_NOT_FOUND'
}

Node.js v20.20.2`;
  expect(reasonIn(node)).toBe("StepwellError: libtorch was not found.");
  expect(reasonIn("Traceback (most recent call last):\n  import torch\nImportError: libcublas.so: cannot open\n")).toBe(
    "ImportError: libcublas.so: cannot open",
  );
  expect(reasonIn("a\nb\nterminate called\nAborted\n")).toBe("b terminate called Aborted");
});
