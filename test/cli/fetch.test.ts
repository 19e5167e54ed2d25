// `stepwell doctor --fetch` where it has nothing to do, and where it fails. test/install fetches libtorch.

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../free-port.js";
import { installed, type Project } from "./installed.js";

let project: Project;
/** A cache without libtorch. */
let cache = "";
/** The folder of the Python of this machine. */
const python = dirname(execFileSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }));
beforeAll(() => {
  project = installed();
  cache = join(project.folder, "cache");
  mkdirSync(cache);
});
afterAll(() => project.remove());

const fetch = (env: NodeJS.ProcessEnv, ...options: readonly string[]) => {
  const variables = { LIBTORCH: "", XDG_CACHE_HOME: cache, PIP_RETRIES: "1", PIP_FIND_LINKS: "", ...env };
  return project.run(["doctor", "--fetch", ...options], "", variables);
};

describe("doctor --fetch", () => {
  it("fetches nothing if libtorch is found, and says where", () => {
    const { status, stdout, stderr } = project.run(["doctor", "--fetch"]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^libtorch: 2\.11\.0\S* is here already, in \S+\n$/);
    expect(stdout).toContain("Training works, on the native engine.");
  });

  it("says what is missing, in one line with a code, and leaves the cache empty", async () => {
    const port = await freePort();
    writeFileSync(join(project.folder, "file"), "");
    const away = { PIP_INDEX_URL: `http://127.0.0.1:${port}/simple` };
    const path = [python, "/usr/bin", "/bin"].join(delimiter);
    const rows: readonly (readonly [NodeJS.ProcessEnv, RegExp])[] = [
      [
        { PATH: cache },
        /2\.11\.0 is fetched by Python's pip or by uv, and neither is here\. Nothing here can fetch it: install uv, or /,
      ],
      [{ PATH: path, ...away }, /pip does not reach its package index\. Run the command again with a network/],
      [{ PATH: path, ...away, PIP_RETRIES: "0" }, /pip does not reach its package index\. Run the command again with/],
      [{ PATH: path, PIP_NO_INDEX: "1" }, /the package index of pip does not have it\. Set PIP_INDEX_URL/],
      [{ PATH: path, XDG_CACHE_HOME: join(project.folder, "file") }, /cannot be made: .* Point XDG_CACHE_HOME at/],
    ];
    for (const [env, message] of rows) {
      const { status, stdout, stderr } = fetch(env);
      expect(stderr).toMatch(message);
      expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/^stepwell: ERR_LIBTORCH_FETCH: doctor --fetch: /);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(readdirSync(cache).flatMap((name) => readdirSync(join(cache, name)))).toEqual([]);
    }
    const { error } = JSON.parse(fetch({ PATH: cache }, "--json").stderr);
    expect(error).toMatchObject({ code: "ERR_LIBTORCH_FETCH" });
  });

  it("is a file of the native package for a project without the command line", () => {
    const file = join(project.folder, "node_modules", "@stepwell", "native", "fetch", "main.js");
    const { status, stdout, stderr } = project.node([file], "", { LIBTORCH: "", XDG_CACHE_HOME: cache, PATH: cache });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(
      /^ERR_LIBTORCH_FETCH: libtorch 2\.11\.0 is fetched by [^\n]* and run "node \S+main\.js"\.\n$/,
    );
  });

  it("refuses to fetch what a LIBTORCH that does not fit would hide", () => {
    const { status, stderr } = fetch({ LIBTORCH: project.folder });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^stepwell: ERR_LIBTORCH_NOT_FOUND: doctor --fetch: LIBTORCH is set to .* or unset it\.\n$/);
  });

  it("needs the native package", () => {
    rmSync(join(project.folder, "node_modules", "@stepwell", "native"), { recursive: true });
    const { status, stderr } = fetch({});
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr:
        "stepwell: ERR_ADDON_NOT_FOUND: doctor --fetch: @stepwell/native, which needs libtorch, is not here. Install it in this project.\n",
    });
  });
});
