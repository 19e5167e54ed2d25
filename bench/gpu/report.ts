// The figures of a run on a GPU as tables.

import type { GpuResult } from "./rounds.js";

const number = (value: number, digits = 2) => value.toFixed(digits);

/** In parts of the time until the device has finished. Calls that take less do not wait for the device. */
const waiting = 0.5;

export function report(results: readonly GpuResult[], device: string): string {
  return ["## Time of a step", explanation(device), ...results.map(table)].join("\n\n");
}

function explanation(device: string): string {
  const sizes =
    device === "cpu" ? "On the CPU the tensors are small: these figures show only that the benchmark works." : "";
  return `A ratio is the time relative to Stepwell's in the same round; above 1 a contender is slower. Bytes are the least that a step moves,
relative to the bytes per second of a copy on the device in the same round. "calls" is the share of the time that the calls took
before the device had finished: below ${waiting} a step does not wait for the device. ${sizes}`.trim();
}

function table({ id, rounds, copied, rows, absent, different }: GpuResult): string {
  const yardstick = copied ? `; the copy moves ${number(copied.median, 0)} GB/s` : "";
  return [
    `### ${id}`,
    "",
    `${rounds} rounds${yardstick}.`,
    "",
    "| | µs a step | ratio | bytes, of the copy | calls |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...rows.map(
      ({ name, microseconds, ratio, share, called }) =>
        `| ${name} | ${number(microseconds.median, 1)} | ${number(ratio.median)} x | ${share ? `${number(share.median * 100, 0)} %` : ""} | ${number(called.median)} |`,
    ),
    ...absent.map(({ name, reason }) => `| ${name} | not measured: ${reason.replaceAll("|", "\\|")} | | | |`),
    ...different.map((name) => `| ${name} | has other parameters after the same steps | | | |`),
  ].join("\n");
}

export interface Failure {
  readonly test?: string;
  readonly message: string;
}

/** Contenders that must be measured in every case, unless the engine does not have their option. */
const required: readonly string[] = ["Stepwell", "Stepwell, offload"];
const isRequired = ({ name, reason }: GpuResult["absent"][number]) =>
  required.includes(name) && !reason.startsWith("ERR_OPTION_UNKNOWN");

/** Cases without Stepwell, contenders of 32 bits that disagree, and on a GPU large steps that wait for it. */
export function failures(results: readonly GpuResult[], device: string): readonly Failure[] {
  const [first] = results;
  // A device that cannot be used fails each case alike.
  if (first?.rows.length === 0)
    return first.absent.filter(isRequired).map(({ name, reason }) => ({ test: name, message: reason }));
  return results.flatMap(({ id, absent, different, rows, large }) => [
    ...absent.filter(isRequired).map(({ name, reason }) => ({ test: `${id}, ${name}`, message: reason })),
    ...different.map((name) => ({ test: `${id}, ${name}`, message: "other parameters after the same steps" })),
    ...rows
      .filter(({ name, called }) => name === "Stepwell" && device !== "cpu" && large && called.median >= waiting)
      .map(({ name }) => ({ test: `${id}, ${name}`, message: "a step waits for the device" })),
  ]);
}
