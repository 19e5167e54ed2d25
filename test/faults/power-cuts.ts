// F2: a snapshot of the disk at a random time has the last save that returned or a later one. A power cut leaves such a disk.
//
// The file system is an ext4 image on a loop device. A copy of the image holds what has reached the disk, and nothing of the cache.

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../random-operations/random.js";
import { generationOf } from "./kills.js";
import { Program } from "./processes.js";
import type { SaveLoopConfig } from "./programs/save-loop.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";
import type { Saver } from "./savers.js";

const modes = ["commit=1", "commit=1,noauto_da_alloc"];

function command(name: string, ...args: readonly string[]): void {
  const { error, status, stderr } = spawnSync(name, args, { encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${name} ${args.join(" ")}: ${stderr.trim()}`);
}

/** Runs a function on a mounted image. */
async function mounted<Result>(image: string, folder: string, options: string, run: () => Promise<Result> | Result) {
  mkdirSync(folder, { recursive: true });
  command("mount", "-o", `loop,${options}`, image, folder);
  try {
    return await run();
  } finally {
    command("umount", folder);
  }
}

/** The reason why no image can be mounted here. */
function mountProblem(): string | undefined {
  if (process.platform !== "linux") return "it needs Linux";
  if (process.getuid?.() !== 0) return "only the administrator mounts an image";
  if (!existsSync("/dev/loop-control")) return "there are no loop devices";
  const { error } = spawnSync("mkfs.ext4", ["-V"]);
  return error ? "mkfs.ext4 is not installed" : undefined;
}

async function cuts({ folder, scale, seed, isOver }: Context, saver: Saver, chosen = modes): Promise<Outcome> {
  const tally = new Tally();
  const random = new Random(seed);
  const [image, snapshot] = [join(folder, "disk"), join(folder, "snapshot")];
  const [disk, copy] = [join(folder, "mounted"), join(folder, "mounted-copy")];
  const count = saver === "product" ? sized(scale, 3, 20, 500) : 20;
  for (const mode of chosen) {
    rmSync(image, { force: true });
    command("truncate", "-s", "48M", image);
    command("mkfs.ext4", "-q", "-F", image);
    await mounted(image, disk, mode, async () => {
      const config: SaveLoopConfig = { path: join(disk, "run"), elements: 250_000, saver, first: 1 };
      const program = new Program("save-loop", config, { limit: 3_600_000 });
      await program.line();
      let acknowledged = 0;
      for (let i = 0; i < count && !isOver(); i++) {
        await new Promise((resolve) => setTimeout(resolve, 50 + random.next() * 250));
        program.child.kill("SIGSTOP");
        // Lines of the program that were written before the stop arrive.
        await new Promise((resolve) => setTimeout(resolve, 20));
        acknowledged = Math.max(acknowledged, ...program.taken().map(Number));
        copyFileSync(image, snapshot);
        program.child.kill("SIGCONT");
        const found = await mounted(snapshot, copy, "defaults", () => {
          const path = join(copy, "run");
          return existsSync(path) ? generationOf(path) : 0;
        });
        const problem =
          typeof found === "string"
            ? found
            : found < acknowledged
              ? `generation ${acknowledged} was saved, and ${found} is there`
              : undefined;
        tally.check(problem && `${mode}, snapshot ${i}: ${problem}`);
      }
      await program.kill();
    });
  }
  return tally.outcome();
}

export const powerCuts: Rig = {
  fault: "F2",
  name: "power-cut",
  about: "a snapshot of the disk has a whole file, not older than the last save that returned",
  problem: mountProblem,
  run: (context) => cuts(context, "product"),
  planted: {
    "a save in place": (context) => cuts(context, "in place", ["commit=1"]),
    "a save without a sync": (context) => cuts(context, "without a sync", ["commit=60,noauto_da_alloc"]),
    "a save without a sync of the folder": (context) => cuts(context, "without a sync of the folder", ["commit=60"]),
  },
};
