// The event file that TensorBoard has read for test/cli/events.json. `node` runs this file compiled, with the folder as argument.

import { EventFile } from "@stepwell/cli";

/** The time of the events in seconds. */
export const time = 1_700_000_000.25;

/** Numbers of many sizes and both signs. */
export const numbers: readonly number[] = Array.from(
  { length: 500 },
  (_, i) => (((i * 37) % 101) - 50) * 2 ** ((i % 9) - 4),
);

/** Writes the file, and returns its path. */
export function writeExample(folder: string): string {
  const file = new EventFile(folder, { now: () => time, suffix: "example" });
  for (let step = 1; step <= 3; step++) file.scalar("loss/training", 1 / step, step);
  file.scalar("negative", -2.5, 2 ** 40);
  file.scalar("not a number", Number.NaN, 0);
  file.histogram("parameter/fc.weight", numbers, 3);
  file.histogram("zeros", [0, 0, 0], 1);
  file.histogram("nothing", [Number.NaN], 1);
  file.text("description", "# A run\n\nwith *Markdown* and ü", 2);
  file.close();
  return file.path;
}
