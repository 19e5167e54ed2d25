// How far a download is, told on stderr: a redrawn line on a terminal, a plain line now and then elsewhere.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const million = 1e6;

/** Watches a folder grow towards `total` bytes; call what it returns to stop. */
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
    // A file may be gone between the listing and the look.
    const entry = statSync(join(folder, name), { throwIfNoEntry: false });
    if (entry?.isFile()) bytes += entry.size;
  }
  return bytes;
}
