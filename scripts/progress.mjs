// The progress of a download on stderr: a redrawn line on a terminal, otherwise a line every 5 seconds.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const million = 1e6;

/** Reports the size of a folder that grows to `total` bytes. Returns a function that stops the reports. */
export function watchGrowth(folder, total, what) {
  const redraw = process.stderr.isTTY === true;
  const timer = setInterval(draw, redraw ? 200 : 5000);

  function draw() {
    const bytes = Math.min(sizeOf(folder), total);
    const line = `${what} ${Math.floor((100 * bytes) / total)} % of ${Math.round(total / million)} MB`;
    process.stderr.write(redraw ? `\r\x1b[K${line}` : `${line}\n`);
  }

  return () => {
    clearInterval(timer);
    if (redraw) process.stderr.write("\r\x1b[K");
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
