// Names the folder of libtorch for this platform: in this package, if it was packed for a file, or in the package of the platform.

const { existsSync } = require("node:fs");
const { dirname, join } = require("node:path");

const platform = `${process.platform}-${process.arch}`;

function folder() {
  const own = join(__dirname, platform, "torch");
  if (existsSync(own)) return own;
  try {
    return join(dirname(require.resolve(`@stepwell/libtorch-${platform}/package.json`)), "torch");
  } catch {
    return undefined;
  }
}

exports.path = folder();
