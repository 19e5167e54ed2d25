// The progress of a download: a redrawn line on a terminal, otherwise a line every 5 seconds.

const { readdirSync, statSync } = require("node:fs");
const { join } = require("node:path");

const million = 1e6;

/** Reports the size of a folder that grows, after `done` bytes of `total`. Returns a function that stops the reports. */
function watchGrowth(folder, { done, total }, what, output) {
  const redraw = output.isTTY === true;
  const timer = setInterval(draw, redraw ? 200 : 5000);

  function draw() {
    const bytes = Math.min(done + sizeOf(folder), total);
    const line = `${what} ${Math.floor((100 * bytes) / total)} % of ${Math.round(total / million)} MB`;
    output.write(redraw ? `\r\x1b[K${line}` : `${line}\n`);
  }

  return () => {
    clearInterval(timer);
    if (redraw) output.write("\r\x1b[K");
  };
}

function sizeOf(folder) {
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true })) {
    // A file may be deleted between the listing and the stat.
    const entry = statSync(join(folder, name), { throwIfNoEntry: false });
    if (entry?.isFile()) bytes += entry.size;
  }
  return bytes;
}

module.exports = { watchGrowth };
