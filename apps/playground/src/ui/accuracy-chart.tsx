// The share of the test digits that each contender reads, epoch by epoch.

import type { OptimizerName } from "@stepwell/sdk";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { epochs } from "../digits-setup.js";
import { markOf } from "./marks.js";
import type { Theme } from "./theme.js";
import type { TrainingClient } from "./training-client.js";

interface Props {
  readonly client: TrainingClient;
  readonly contenders: readonly OptimizerName[];
  readonly theme: Theme;
}

export function AccuracyChart({ client, contenders, theme }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const parent = box.current;
    if (!parent) return;
    const plot = new uPlot(settings(theme, contenders), [[0]], parent);
    const draw = () => plot.setData(table(client, contenders));
    const fit = () => plot.setSize({ width: parent.clientWidth, height: parent.clientHeight });
    draw();
    const observer = new ResizeObserver(fit);
    observer.observe(parent);
    const leave = client.subscribe(draw);
    return () => {
      leave();
      observer.disconnect();
      plot.destroy();
    };
  }, [client, contenders, theme]);
  return <div class="chart" ref={box} role="img" aria-label="Test accuracy by epoch; the table has the numbers." />;
}

/** All contenders are tested at the same moments. */
function table(client: TrainingClient, contenders: readonly OptimizerName[]): uPlot.AlignedData {
  const tests = contenders.map((name) => client.contenders.get(name)?.tests ?? []);
  const across = tests[0]?.map(({ epoch }) => epoch) ?? [];
  return [across, ...tests.map((list) => across.map((_, index) => (list[index]?.accuracy ?? 0) * 100))];
}

function settings(theme: Theme, contenders: readonly OptimizerName[]): uPlot.Options {
  const light = theme === "light";
  const grid = { stroke: light ? "rgb(20 30 40 / 8%)" : "rgb(220 235 245 / 8%)", width: 1 };
  const font = '11px "Geist Mono Variable", monospace';
  const axis = { stroke: light ? "#5d656d" : "#9aa7b0", grid, ticks: { show: false }, font };
  return {
    width: 320,
    height: 240,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [0, epochs] }, y: { range: [40, 100] } },
    axes: [
      { ...axis, size: 32, gap: 6, values: (_plot, marks) => marks.map((mark) => `${mark}`) },
      { ...axis, size: 46, gap: 6, values: (_plot, marks) => marks.map((mark) => `${mark}%`) },
    ],
    series: [
      {},
      ...contenders.map((name) => ({
        label: markOf(name).label,
        stroke: markOf(name).colors[theme],
        width: 2,
        points: { show: false },
      })),
    ],
  };
}
