// Requirements of a build of Stepwell. Each missing one is a sentence, and all are reported at once.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fetchProblem } from "../packages/native/fetch/index.js";
import { failure } from "../packages/native/libtorch.js";
import { outputOf, root } from "./command.mjs";

/** Throws one Error with all problems, or returns a summary of the tools in one line. The addons need a C++ compiler. */
export function checkTools({ native, fetching, problems = [] }) {
  const node = process.versions.node;
  const nodeNeeded = /\d[\d.]*/.exec(JSON.parse(read("package.json")).engines.node)[0];
  if (older(node, nodeNeeded)) {
    problems.push(`Node ${nodeNeeded} or newer is needed, and this is ${node}: install it from nodejs.org.`);
  }

  const rustNeeded = /^rust-version = "(.+)"/m.exec(read("Cargo.toml"))[1];
  const rust = version("rustc");
  for (const tool of ["rustc", "cargo"]) {
    const found = tool === "rustc" ? rust : version(tool);
    if (found === undefined)
      problems.push(`Rust ${rustNeeded} or newer is needed, and there is no ${tool}: install it from rustup.rs.`);
    else if (older(found, rustNeeded))
      problems.push(`${tool} ${rustNeeded} or newer is needed, and this is ${found}: run "rustup update".`);
  }

  if (native && !compiler()) {
    problems.push(
      "A C++17 compiler is needed, and none of CXX, c++, g++ and clang++ compiles C++17: install g++ or clang.",
    );
  }
  const unfetchable = fetching && fetchProblem();
  if (unfetchable) problems.push(unfetchable);

  if (problems.length > 0)
    throw failure("ERR_SETUP", `the machine is not ready.\n${problems.map((line) => `  - ${line}`).join("\n")}`);
  return `Node ${node}, Rust ${rust}${native ? ", C++17" : ""}`;
}

function read(file) {
  return readFileSync(join(root, file), "utf8");
}

function version(tool) {
  return /\d+(\.\d+)+/.exec(outputOf(tool, ["--version"]) ?? "")?.[0];
}

/** Whether version a comes before b, compared number by number. */
function older(a, b) {
  return a.localeCompare(b, "en", { numeric: true }) < 0;
}

function compiler() {
  // On Windows the build finds the compiler through the registry, and reports if there is none.
  if (process.platform === "win32") return true;
  const names = [process.env.CXX, "c++", "g++", "clang++"].filter(Boolean);
  const program = "#include <optional>\nstd::optional<int> x;\n";
  return names.some(
    (name) => outputOf(name, ["-std=c++17", "-fsyntax-only", "-x", "c++", "-"], { input: program }) !== undefined,
  );
}
