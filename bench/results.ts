// The results, a file for each section in results/: what is measured again replaces what was measured before.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";
import { libtorch } from "@stepwell/native";
import type { Figure } from "./figures.js";

/** The measurements of one entrant. */
export interface Row {
  readonly label: string;
  readonly parameters?: number;
  /** Of a step. */
  readonly microseconds?: Figure;
  /** Of an import in a fresh process. */
  readonly milliseconds?: Figure;
  /** Times divided by the times of the first entrant, round by round. */
  readonly ratio?: Figure;
  /** Microseconds that this one takes longer than the first one, round by round. */
  readonly difference?: Figure;
  /** Bytes that a step must at least move, for each second. */
  readonly gigabytes?: Figure;
  /** The throughput as a share of the memory stream just before. */
  readonly share?: Figure;
  /** Page faults of a step. */
  readonly faults?: Figure;
  /** Bytes of memory at the most. */
  readonly peak?: number;
}

export interface Result {
  /** `section/what/threads` */
  readonly id: string;
  readonly date: string;
  readonly rounds: number;
  readonly rows: readonly Row[];
  readonly skipped: readonly { readonly label: string; readonly reason: string }[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  readonly versions: Readonly<Record<"stepwell" | "node" | "tch" | "libtorch", string>>;
}

/** The content of a file in results/. */
export interface Results {
  readonly machine: Machine;
  readonly results: readonly Result[];
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${arch()}`,
    versions: {
      stepwell: locked("stepwell-node"),
      node: process.versions.node,
      tch: locked("tch"),
      libtorch: libtorch.version,
    },
  };
}

/** A crate's version. */
function locked(crate: string): string {
  const lock = readFileSync(new URL("../../Cargo.lock", import.meta.url), "utf8");
  return new RegExp(`^name = "${crate}"\\r?\\nversion = "(.+)"`, "m").exec(lock)?.[1] ?? "unknown";
}

export const folder = new URL("../results/", import.meta.url);

export function read(section: string): Results | undefined {
  const file = new URL(`${section}.json`, folder);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** Puts results into a section's file. Results of another machine, and of cases that no longer exist, are dropped. */
export function write(section: string, fresh: readonly Result[], ids: readonly string[]): void {
  const here = machine();
  const old = read(section);
  const kept = old && JSON.stringify(old.machine) === JSON.stringify(here) ? old.results : [];
  const results = ids.flatMap((id) => [...fresh, ...kept].find((result) => result.id === id) ?? []);
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify({ machine: here, results } satisfies Results, undefined, 2);
  // A figure on a line.
  const figures = /\{\s+("median": [^,]+,)\s+("min": [^,]+,)\s+("max": \S+)\s+\}/g;
  writeFileSync(new URL(`${section}.json`, folder), `${text.replace(figures, "{ $1 $2 $3 }")}\n`);
}
