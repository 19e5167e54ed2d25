// `stepwell bench` and `stepwell completion`, from the packed tarballs.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installed, type Project } from "./installed.js";

let project: Project;
beforeAll(() => {
  project = installed();
});
afterAll(() => project.remove());

describe("bench", () => {
  it("measures all engines in every case", () => {
    // A Python without torch, so that the list of contenders is known.
    const { status, stdout, stderr } = project.run(["bench", "--seconds", "2", "--json"], "", { PATH: "/nowhere" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { results, machine } = JSON.parse(stdout);
    expect(machine).toContain(`Node ${process.versions.node}`);
    const keys = results.map((result: { case: string; contender: string }) => `${result.case} ${result.contender}`);
    const cases = ["adam", "mlp", "matrix"];
    expect(keys).toEqual(cases.flatMap((name) => [`${name} native`, `${name} Rust`, `${name} WebAssembly`]));
    for (const { contender, seconds, ratio } of results) {
      expect(seconds).toBeGreaterThan(1e-6);
      expect(ratio).toBeGreaterThan(0);
      if (contender === "native") expect(ratio).toBe(1);
    }
  });

  it("leaves an engine out that does not start, and fails without any", () => {
    const env = { PATH: "/nowhere", LIBTORCH: project.folder };
    const { status, stdout } = project.run(["bench", "--seconds", "1"], "", env);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ +Rust +WebAssembly\n/);
    expect(project.run(["bench", "--seconds", "0"])).toMatchObject({ status: 2, stdout: "" });
  });
});

describe("completion", () => {
  /** The words that bash offers for the last of some words. */
  const offered = (...words: readonly string[]) => {
    const script = join(project.folder, "completion.bash");
    writeFileSync(script, project.run(["completion", "bash"]).stdout);
    const list = words.map((word) => `'${word}'`).join(" ");
    const program = `source '${script}'; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _stepwell; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { status, stdout, stderr } = spawnSync("bash", ["-c", program], { encoding: "utf8", cwd: project.folder });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout.trim().split("\n");
  };

  it.each([
    [["stepwell", "in"], ["inspect"]],
    [["stepwell", "train", "--tens"], ["--tensorboard"]],
    [["stepwell", "resume", "--js"], ["--json"]],
    [["stepwell", "train", "--format", "s"], ["safetensors"]],
    [["stepwell", "help", "adamw"], ["adamw"]],
    [["stepwell", "inspect", "compl"], ["completion.bash"]],
    [["stepwell", "completion", "f"], ["fish"]],
  ])("offers bash for %j: %j", (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  it("has scripts of other shells", () => {
    expect(project.run(["completion", "zsh"]).stdout).toMatch(/^autoload -U \+X bashcompinit/);
    const fish = project.run(["completion", "fish"]).stdout.trim().split("\n").slice(1);
    expect(fish.length).toBeGreaterThan(30);
    for (const line of fish) expect(line).toMatch(/^complete -c stepwell -n (?:'[^']+'|\w+) /);
    expect(project.run(["completion", "powershell"])).toMatchObject({ status: 2, stdout: "" });
  });
});
