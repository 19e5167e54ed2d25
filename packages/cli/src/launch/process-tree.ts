// A program with the programs that it starts, such as a wrapper and a training: they get signals together.

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const isWindows = process.platform === "win32";

/**
 * Options of `spawn` for the first program of a tree: it leads a process group of its own, as in torchrun. So signals of a terminal reach
 * the starter alone. Windows has no such groups, and its consoles send Ctrl-C to all.
 */
export const firstOfTree = { detached: !isWindows } as const;

/** Sends a signal to the programs of a tree, which its first one names. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  try {
    if (isWindows) endOnWindows(pid, signal);
    else process.kill(-pid, signal);
  } catch {
    // They have ended.
  }
}

/** Whether a program of a tree runs. On Windows only its first program is known. */
export function isTreeRunning(pid: number): boolean {
  try {
    process.kill(isWindows ? pid : -pid, 0);
  } catch {
    // ESRCH; on macOS also EPERM, if nothing has taken the exit codes of programs that have ended.
    return false;
  }
  return process.platform !== "linux" || hasRunningMember(pid);
}

/**
 * Whether a program of a process group has not ended. The first process of a container often takes no exit codes of others, and then
 * programs that have ended stay in their groups as zombies.
 */
function hasRunningMember(group: number): boolean {
  for (const name of processNames()) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      // The fields after the name of the program, which is in parentheses and may have some.
      const [state = "", , its] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(its) === group && !/[ZX]/.test(state)) return true;
    } catch {
      // It has ended since.
    }
  }
  return false;
}

/** The folders of all processes. */
function processNames(): readonly string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
}

/** Windows has no signals for other programs. The console has sent Ctrl-C and its own end to all programs. */
function endOnWindows(pid: number, signal: NodeJS.Signals): void {
  if (signal !== "SIGTERM" && signal !== "SIGKILL") return;
  spawn("taskkill", ["/pid", String(pid), "/t", "/f"], { stdio: "ignore" }).on("error", () => {});
}
