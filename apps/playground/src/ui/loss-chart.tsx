// The loss of every racer against the evaluations of the gradient that it has had.

import type { OptimizerName } from "@stepwell/sdk";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { pointSize } from "../racer.js";
import { target } from "../surfaces/surface.js";
import { displayOrder, markOf } from "./marks.js";
import type { RaceClient, Track } from "./race-client.js";
import type { Theme } from "./theme.js";

/** Losses below this are drawn at it. */
const least = 1e-12;
/** Milliseconds between two drawings. */
const drawTime = 66;

interface Props {
  readonly client: RaceClient;
  readonly hidden: readonly OptimizerName[];
  readonly selected: OptimizerName;
  readonly theme: Theme;
}

export function LossChart({ client, hidden, selected, theme }: Props) {
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const parent = box.current;
    if (!parent) return;
    const plot = new uPlot(settings(theme, selected, hidden), [[0]], parent);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      plot.setData(table(client));
    };
    const ask = () => {
      timer ??= setTimeout(draw, drawTime);
    };
    const fit = () => plot.setSize({ width: parent.clientWidth, height: parent.clientHeight });
    draw();
    const observer = new ResizeObserver(fit);
    observer.observe(parent);
    const leave = client.subscribe(ask);
    return () => {
      leave();
      observer.disconnect();
      clearTimeout(timer);
      plot.destroy();
    };
  }, [client, hidden, selected, theme]);

  return <div class="chart" ref={box} role="img" aria-label="Loss against evaluations; the table has the numbers." />;
}

/** A column of evaluations, and one of losses for each optimizer. */
function table(client: RaceClient): uPlot.AlignedData {
  const last = Math.max(1, client.clock);
  const across = Array.from({ length: last + 1 }, (_, evaluations) => evaluations);
  return [across, ...displayOrder.map((name) => column(client.tracks.get(name), last))];
}

function column(track: Track | undefined, last: number): (number | null)[] {
  const losses: (number | null)[] = new Array(last + 1).fill(null);
  for (let point = 0; point < (track?.count ?? 0); point++) {
    const evaluations = track?.points[point * pointSize + 3] ?? 0;
    const loss = track?.points[point * pointSize + 2] ?? Number.NaN;
    if (evaluations <= last && Number.isFinite(loss)) losses[evaluations] = Math.min(Math.max(loss, least), 1e12);
  }
  return losses;
}

function settings(theme: Theme, selected: OptimizerName, hidden: readonly OptimizerName[]): uPlot.Options {
  const light = theme === "light";
  const quiet = light ? "#5d656d" : "#9aa7b0";
  const grid = { stroke: light ? "rgb(20 30 40 / 8%)" : "rgb(220 235 245 / 8%)", width: 1 };
  const font = '11px "Geist Mono Variable", monospace';
  const axis = { stroke: quiet, grid, ticks: { show: false }, font, labelFont: font };
  return {
    width: 320,
    height: 240,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range: (_plot, _low, high) => [0, Math.max(high ?? 0, 20)] },
      y: {
        distr: 3,
        range: (_plot, low, high) => [
          Math.max(least, 10 ** Math.floor(Math.log10(Math.min(low ?? 1, target)))),
          10 ** Math.ceil(Math.log10(high ?? 1)),
        ],
      },
    },
    axes: [
      { ...axis, size: 32, gap: 6 },
      {
        ...axis,
        size: 46,
        gap: 6,
        splits: (_plot, _axis, low, high) => thousands(low, high),
        filter: (_plot, marks) => marks,
        values: (_plot, marks) => marks.map(power),
      },
    ],
    series: [
      {},
      ...displayOrder.map((name) => ({
        label: markOf(name).label,
        stroke: markOf(name).colors[theme],
        width: name === selected ? 2.5 : 1.5,
        show: !hidden.includes(name),
        spanGaps: true,
        points: { show: false },
      })),
    ],
    hooks: { drawAxes: [(plot) => drawTarget(plot, quiet, font)] },
  };
}

const raised = new Map(Array.from("-0123456789", (letter, index) => [letter, "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[index] as string]));

/** Every third power of ten of a range. */
function thousands(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) / 3 - 1e-9), Math.floor(Math.log10(high) / 3 + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => 10 ** (3 * (first + index)));
}

/** A power of ten as one. */
function power(mark: number): string {
  const exponent = Math.round(Math.log10(mark));
  return exponent === 0 ? "1" : `10${Array.from(String(exponent), (letter) => raised.get(letter) ?? "").join("")}`;
}

/** The line below which an optimizer has arrived. */
function drawTarget(plot: uPlot, color: string, font: string): void {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(target, "y", true);
  ctx.save();
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = font.replace("11px", `${10.5 * devicePixelRatio}px`);
  ctx.textAlign = "right";
  ctx.fillText("arrived", bbox.left + bbox.width - 4 * devicePixelRatio, y - 5 * devicePixelRatio);
  ctx.restore();
}
