// The figures of a run, as JSON and as a table.

import type { Outcome } from "./rig.js";

export interface PlantedResult {
  readonly bug: string;
  /** Whether the rig has failed, as it must. */
  readonly isFound: boolean;
  readonly message: string;
}

export interface RigResult {
  readonly fault: string;
  readonly name: string;
  readonly about: string;
  readonly state: "passed" | "failed" | "not run";
  /** The reason why it was not run. */
  readonly reason?: string;
  readonly seconds: number;
  readonly outcome?: Outcome;
  readonly planted: readonly PlantedResult[];
}

export interface FaultReport {
  readonly date: string;
  readonly scale: string;
  readonly seed: number;
  readonly seconds: number;
  readonly machine: string;
  readonly rigs: readonly RigResult[];
}

export const hasPassed = ({ rigs }: FaultReport): boolean => rigs.every(({ state }) => state !== "failed");

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");

export function tableOf({ date, scale, seed, seconds, machine, rigs }: FaultReport): string {
  const rows = rigs.map((rig) => {
    const figures = Object.entries(rig.outcome?.figures ?? {}).filter(([name]) => name !== "failures");
    const found = rig.planted.filter(({ isFound }) => isFound).length;
    const cells = [
      rig.fault,
      rig.name,
      rig.reason ? `${rig.state}: ${rig.reason}` : rig.state,
      rig.outcome ? rig.outcome.count.toLocaleString("en") : "",
      rig.outcome ? String(rig.outcome.figures?.failures ?? rig.outcome.failures.length) : "",
      rig.planted.length > 0 ? `${found} of ${rig.planted.length}` : "",
      rig.seconds.toFixed(0),
      figures.map(([name, value]) => `${name} ${value.toLocaleString("en")}`).join(", "),
    ];
    return `| ${cells.map(cell).join(" | ")} |`;
  });
  const failures = rigs.flatMap(({ fault, name, outcome, planted }) => [
    ...(outcome?.failures ?? []).map((text) => `- ${fault} ${name}: ${cell(text)}`),
    ...planted.filter(({ isFound }) => !isFound).map(({ bug }) => `- ${fault} ${name} does not find ${bug}`),
  ]);
  return [
    `${date}, scale ${scale}, seed ${seed}, ${Math.round(seconds)} s, ${machine}`,
    "",
    "| fault | rig | result | count | failures | planted bugs found | seconds | figures |",
    "| --- | --- | --- | ---: | ---: | ---: | ---: | --- |",
    ...rows,
    ...(failures.length > 0 ? ["", "Failures:", "", ...failures] : []),
    "",
  ].join("\n");
}
