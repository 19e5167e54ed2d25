const { mkdirSync, statSync } = require("node:fs");
const { dirname } = require("node:path");

/**
 * Makes a folder and those around it. `mkdirSync` with `recursive` never returns where the system answers ENOENT for a folder in one
 * that exists, as in /proc.
 */
function makeFolder(folder) {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (isFolder(folder)) return;
    const parent = dirname(folder);
    if (error.code !== "ENOENT" || parent === folder || isFolder(parent)) throw error;
    makeFolder(parent);
    makeFolder(folder);
  }
}

const isFolder = (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

module.exports = { makeFolder };
