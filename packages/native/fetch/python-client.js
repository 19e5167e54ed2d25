// Python's pip on this machine, which downloads wheels: it knows the user's package index, proxy and certificates.

const { spawnSync } = require("node:child_process");
const { programPath, pythons, timeout } = require("../python.js");

/**
 * The command that starts a Python with pip: `command` and its first arguments `args`. `version` is the one of pip. It is a Python of
 * the PATH, or a Python of uv, to which uv adds pip. Undefined without either. A Python that takes longer than `limit`, in
 * milliseconds, has hung.
 */
function pipClient(env = process.env, limit = timeout) {
  for (const command of pythons) {
    const { status, stdout } = spawnSync(command, ["-m", "pip", "--version"], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: limit,
      killSignal: "SIGKILL",
    });
    const [, version] = (status === 0 && /^pip (\S+) .*\(python 3\./m.exec(stdout)) || [];
    if (version) return { name: "pip", command, args: [], version };
  }
  if (!programPath("uv", env)) return undefined;
  const args = ["run", "--quiet", "--no-project", "--with", `pip>=${resumes.join(".")}`, "python"];
  return { name: "uv", command: "uv", args, version: resumes.join(".") };
}

/** The first version of pip that goes on with a broken download. */
const resumes = [25, 1];

/** Options of `pip download` for a connection that breaks. Older versions begin the file again. */
function retryOptions({ version }) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNewer = major > resumes[0] || (major === resumes[0] && minor >= resumes[1]);
  return isNewer ? ["--resume-retries=20"] : [];
}

module.exports = { pipClient, retryOptions };
