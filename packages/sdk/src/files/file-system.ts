// The file system of Node, for an engine without files. The rules are the ones of `crates/checkpoint/src/replace.rs`.

import { StepwellError } from "../errors.js";
import { brief } from "../values/describe.js";
import { allocated } from "../values/typed-arrays.js";

type FileSystem = typeof import("node:fs");

interface Builtins {
  readonly process?: {
    readonly pid: number;
    getBuiltinModule?(name: string): unknown;
    geteuid?(): number;
    kill(pid: number, signal: 0): boolean;
  };
}

const { process } = globalThis as Builtins;

const builtin = <Module>(name: string) => process?.getBuiltinModule?.(`node:${name}`) as Module | undefined;

/** Throws in a page, which has no files. */
export function requireFiles(name: string): void {
  if (builtin("fs") !== undefined) return;
  const instead = "serialize(objects) gives the bytes of a file, and deserialize(bytes, objects) takes them";
  throw new StepwellError("ERR_UNSUPPORTED", `${name}: a page has no files: ${instead}`);
}

/** The file system. Throws in a page. */
function fileSystem(name: string): FileSystem {
  requireFiles(name);
  return builtin<FileSystem>("fs") as FileSystem;
}

/** Links that are followed, as many as Linux does. */
const MAX_LINKS = 40;
/** Entries of a folder that a search for old scratch files reads at most. */
const MAX_ENTRIES = 2 ** 16;
/** In milliseconds, an hour. A scratch file is written in one piece, synced and renamed, which takes seconds. */
const UNTOUCHED = 3_600_000;
/** Bits of the mode of a folder in which every user can write, but not remove files of others. */
const STICKY_AND_WRITABLE = 0o1002;

/** The error of a file that the system does not read or write, in the words of the native engine. */
function failed(verb: string, path: string, error: unknown): unknown {
  const { code, errno, message } = error as {
    readonly code?: string;
    readonly errno?: number;
    readonly message: string;
  };
  // The only value of a text that Node refuses itself.
  if (code === "ERR_INVALID_ARG_VALUE")
    return failed(verb, path, new Refusal("file name contained an unexpected NUL byte"));
  if (errno === undefined && !(error instanceof Refusal)) return error;
  const [, problem] =
    (errno !== undefined && builtin<typeof import("node:util")>("util")?.getSystemErrorMap().get(errno)) || [];
  const words =
    problem === undefined ? message : `${problem[0]?.toUpperCase()}${problem.slice(1)} (os error ${-Number(errno)})`;
  return new StepwellError("ERR_FILE", `cannot ${verb} ${brief(path)}: ${words}`);
}

/** A file that is refused before the system does. */
class Refusal extends Error {}

/** The bytes of a file that is neither a folder nor a pipe nor a device, and its size. With `length` as many bytes as it says. */
export function readBytes(
  name: string,
  path: string,
  length?: (start: Uint8Array, size: number) => number,
): { bytes: Uint8Array; size: number } {
  const fs = fileSystem(name);
  try {
    // Opening a pipe would block until a process writes to it.
    const file = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
    try {
      const stat = fs.fstatSync(file);
      if (!stat.isFile()) throw new Refusal("it is not a regular file");
      const read = (count: number) => {
        const bytes = allocated(name, Uint8Array, count);
        let at = 0;
        while (at < count) {
          const more = fs.readSync(file, bytes, at, count - at, at);
          if (more === 0) throw new Refusal("failed to fill whole buffer");
          at += more;
        }
        return bytes;
      };
      const wanted = length ? Math.min(length(read(Math.min(8, stat.size)), stat.size), stat.size) : stat.size;
      return { bytes: read(wanted), size: stat.size };
    } finally {
      fs.closeSync(file);
    }
  } catch (error) {
    throw failed("read", path, error);
  }
}

/** Replaces the file at a path, or the one that a link there points at, at once or not at all, also in a crash. */
export function replaceFile(name: string, path: string, bytes: () => Uint8Array): void {
  const fs = fileSystem(name);
  const content = bytes();
  const { dirname, join } = builtin<typeof import("node:path")>("path") as typeof import("node:path");
  try {
    const { target, before } = replaced(fs, path);
    const folder = dirname(target);
    sweep(fs, folder);
    // A file that is replaced may be private.
    const scratch = join(folder, `.stepwell-${process?.pid}-${crypto.randomUUID()}.tmp`);
    const file = fs.openSync(scratch, "wx", before ? 0o600 : 0o666);
    let isRenamed = false;
    try {
      try {
        fs.writeFileSync(file, content);
        if (before) keepOwnerAndMode(fs, file, before);
        fs.fsyncSync(file);
      } finally {
        fs.closeSync(file);
      }
      fs.renameSync(scratch, target);
      isRenamed = true;
    } finally {
      if (!isRenamed) fs.rmSync(scratch, { force: true });
    }
    syncFolder(fs, folder);
  } catch (error) {
    throw failed("write", path, error);
  }
}

/** Fails unless the file at a path can be made or replaced. */
export function requireWritable(name: string, path: string): void {
  const fs = fileSystem(name);
  const { dirname } = builtin<typeof import("node:path")>("path") as typeof import("node:path");
  try {
    fs.accessSync(dirname(replaced(fs, path).target), fs.constants.W_OK);
  } catch (error) {
    const problem = failed("write", path, error);
    throw problem instanceof StepwellError ? new StepwellError(problem.code, `${name}: ${problem.message}`) : problem;
  }
}

/** The file to replace, and what is known of it if it exists. */
function replaced(fs: FileSystem, path: string): { target: string; before: import("node:fs").Stats | undefined } {
  const target = targetOf(fs, path);
  const before = fs.lstatSync(target, { throwIfNoEntry: false });
  if (before && !before.isFile()) throw new Refusal("it is not a regular file");
  return { target, before };
}

/** The path of the file to replace. Links are followed, also if the target does not exist. */
function targetOf(fs: FileSystem, path: string): string {
  const { basename, dirname, resolve } = builtin<typeof import("node:path")>("path") as typeof import("node:path");
  let target = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const stat = fs.lstatSync(target, { throwIfNoEntry: false });
    if (!stat?.isSymbolicLink()) {
      if (basename(target) === "" || [".", ".."].includes(basename(target))) throw new Refusal("it names no file");
      return target;
    }
    // The system has the same rule for its own following of links.
    const folder = fs.statSync(dirname(target));
    const isEverybodys = (folder.mode & STICKY_AND_WRITABLE) === STICKY_AND_WRITABLE;
    if (isEverybodys && stat.uid !== process?.geteuid?.() && stat.uid !== folder.uid) {
      throw new Refusal("it is a link that another user put there");
    }
    target = resolve(dirname(target), fs.readlinkSync(target));
  }
  throw new Refusal(`it is a chain of more than ${MAX_LINKS} links`);
}

/**
 * Removes scratch files of processes that have ended, and old ones of a living process. A worker that was terminated leaves them, or an earlier
 * process of the same number, as in containers. Files that cannot be removed stay.
 */
function sweep(fs: FileSystem, folder: string): void {
  try {
    for (const entry of fs.readdirSync(folder).slice(0, MAX_ENTRIES)) {
      const pid = Number(/^\.stepwell-(\d+)-[\da-f-]{36}\.tmp$/.exec(entry)?.[1]);
      const path = `${folder}/${entry}`;
      if (pid > 0 && (!isRunning(pid) || isOld(fs, path))) fs.rmSync(path, { force: true });
    }
  } catch {
    // The file is saved without the search, too.
  }
}

function isOld(fs: FileSystem, path: string): boolean {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > UNTOUCHED;
}

function isRunning(pid: number): boolean {
  try {
    process?.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { readonly code?: string }).code !== "ESRCH";
  }
}

/** Gives a file the mode of another, and its owner and group if the system permits it. */
function keepOwnerAndMode(fs: FileSystem, file: number, before: import("node:fs").Stats): void {
  const own = fs.fstatSync(file);
  if (own.uid !== before.uid || own.gid !== before.gid) {
    for (const uid of [before.uid, own.uid]) {
      try {
        fs.fchownSync(file, uid, before.gid);
        break;
      } catch {
        // Only the administrator gives files away; a group that is one's own can be kept.
      }
    }
  }
  fs.fchmodSync(file, before.mode & 0o777);
}

/** Without the sync of the folder a power cut can lose the rename. Windows cannot open a folder, and does not need it. */
function syncFolder(fs: FileSystem, folder: string): void {
  if (builtin<typeof import("node:os")>("os")?.platform() === "win32") return;
  try {
    const file = fs.openSync(folder, "r");
    try {
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
  } catch (error) {
    const problem =
      "it has the new content, but a power cut can bring back the old one, since its folder is not synced";
    throw new Refusal(`${problem}: ${(error as Error).message}`);
  }
}
