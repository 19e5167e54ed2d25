// The reasons why the system does not load a library, in words, with the remedy.

/**
 * The reason, from the error of the loader, and the remedy as a sentence; `remedy` is undefined if the file is at fault. `has` are
 * facts about this process, which a test can replace.
 */
function loadFault({ code, message }, has = facts()) {
  if (code === "ERR_DLOPEN_DISABLED") {
    return has.permissions
      ? { reason: "Node's permissions allow no addons", remedy: "Run Node with --allow-addons." }
      : { reason: "Node was started with --no-addons", remedy: "Start Node without it." };
  }
  if (has.linux && !has.glibc) {
    return {
      reason: `it needs glibc, and this system has another C library (${message})`,
      remedy: "Run Node on a Linux with glibc: in a container, an image of Debian instead of Alpine.",
    };
  }
  if (has.glibc && /\bmusl\b/.test(message)) {
    return { reason: `it was built for musl, and this system has glibc ${has.glibc} (${message})` };
  }
  const [, library, version] = /version `(GLIBC|GLIBCXX|CXXABI)_([\d.]+)' not found/.exec(message) ?? [];
  if (library === "GLIBC") {
    return {
      reason: `it needs glibc ${version}, and this system has ${has.glibc}`,
      remedy: `Run Node on a Linux with glibc ${version} or newer.`,
    };
  }
  if (library) {
    return {
      reason: `it needs a newer libstdc++, with ${library}_${version}`,
      remedy: "Update libstdc++ of this system.",
    };
  }
  return { reason: message };
}

function facts() {
  const linux = process.platform === "linux";
  return { permissions: process.permission !== undefined, linux, glibc: linux ? glibc() : undefined };
}

/** The version of glibc that this process has; undefined if it has none. */
function glibc() {
  return process.report.getReport().header.glibcVersionRuntime;
}

module.exports = { glibc, loadFault };
