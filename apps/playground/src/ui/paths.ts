// The paths of the racers, and what marks the surface's points, on a canvas over the map.

import type { OptimizerName } from "@stepwell/sdk";
import { pointSize } from "../racer.js";
import type { Surface } from "../surfaces/surface.js";
import { corners, displayOrder, markOf, type Shape } from "./marks.js";
import type { Track } from "./race-client.js";
import type { Theme } from "./theme.js";

/** The last points of the path, which are drawn strongly. */
const tail = 30;

interface Scene {
  readonly surface: Surface;
  readonly start: readonly [number, number];
  readonly tracks: ReadonlyMap<OptimizerName, Track>;
  readonly hidden: readonly OptimizerName[];
  readonly selected: OptimizerName;
  readonly theme: Theme;
  /** Where the next start would be, while it is being chosen with the keyboard. */
  readonly cursor: readonly [number, number] | undefined;
}

/** Draws on a canvas of `size` times `size` pixels, of which `ratio` are one of the page's. */
export function drawPaths(context: CanvasRenderingContext2D, size: number, ratio: number, scene: Scene): void {
  const { surface, theme } = scene;
  const { x: across, y: up } = surface.view;
  const scale = size / (across[1] - across[0]);
  const place = (x: number, y: number): [number, number] => [(x - across[0]) * scale, (up[1] - y) * scale];
  const ink = theme === "light" ? "#16181d" : "#ffffff";
  const halo = theme === "light" ? "rgb(255 255 255 / 85%)" : "rgb(6 14 20 / 75%)";

  context.clearRect(0, 0, size, size);
  context.lineJoin = "round";
  context.lineCap = "round";

  for (const [x, y] of surface.minima) drawTarget(context, place(x, y), ratio, ink);
  drawRing(context, place(...scene.start), 5 * ratio, ratio, ink, halo);

  // The selected one last, on top of the others.
  const order = displayOrder.filter((name) => name !== scene.selected);
  const visible = [...order, scene.selected].filter((name) => !scene.hidden.includes(name));
  for (const name of visible) {
    const track = scene.tracks.get(name);
    if (track) drawTrail(context, track, place, markOf(name).colors[theme], halo, ratio, name === scene.selected);
  }
  for (const name of visible) {
    const track = scene.tracks.get(name);
    if (!track?.isRacing || track.count === 0) continue;
    const { shape, colors } = markOf(name);
    const last = (track.count - 1) * pointSize;
    const radius = (name === scene.selected ? 6.5 : 5.5) * ratio;
    drawMark(context, place(track.points[last] ?? 0, track.points[last + 1] ?? 0), radius, shape, colors[theme], halo);
  }
  if (scene.cursor) drawCross(context, place(...scene.cursor), ratio, ink, halo);
}

function drawTrail(
  context: CanvasRenderingContext2D,
  { points, count, isRacing }: Track,
  place: (x: number, y: number) => [number, number],
  color: string,
  halo: string,
  ratio: number,
  isSelected: boolean,
): void {
  const last = isRacing ? count : count - 1;
  const line = (from: number) => {
    context.beginPath();
    for (let index = Math.max(0, from); index < last; index++) {
      context.lineTo(...place(points[index * pointSize] ?? 0, points[index * pointSize + 1] ?? 0));
    }
    context.stroke();
  };
  const width = (isSelected ? 2.4 : 1.8) * ratio;
  context.globalAlpha = 0.5;
  context.strokeStyle = halo;
  context.lineWidth = width + 2 * ratio;
  line(0);
  context.globalAlpha = isSelected ? 0.95 : 0.7;
  context.strokeStyle = color;
  context.lineWidth = width;
  line(0);
  context.globalAlpha = 1;
  context.lineWidth = width + 0.8 * ratio;
  line(last - tail);
}

/** A mark of an optimizer. */
export function drawMark(
  context: CanvasRenderingContext2D,
  [x, y]: readonly [number, number],
  radius: number,
  shape: Shape,
  color: string,
  halo: string,
): void {
  context.beginPath();
  if (shape === "circle") context.arc(x, y, radius, 0, 2 * Math.PI);
  for (const [dx, dy] of corners(shape)) context.lineTo(x + dx * radius, y + dy * radius);
  context.closePath();
  context.lineWidth = radius * 0.6;
  context.strokeStyle = halo;
  context.stroke();
  context.fillStyle = color;
  context.fill();
}

function drawTarget(context: CanvasRenderingContext2D, [x, y]: [number, number], ratio: number, ink: string): void {
  context.globalAlpha = 0.75;
  context.strokeStyle = ink;
  context.lineWidth = 1.25 * ratio;
  const arm = 8 * ratio;
  context.beginPath();
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  context.moveTo(x, y - arm);
  context.lineTo(x, y + arm);
  context.stroke();
  context.beginPath();
  context.arc(x, y, arm * 0.55, 0, 2 * Math.PI);
  context.stroke();
  context.globalAlpha = 1;
}

function drawRing(
  context: CanvasRenderingContext2D,
  [x, y]: [number, number],
  radius: number,
  ratio: number,
  ink: string,
  halo: string,
): void {
  for (const [width, color] of [
    [4, halo],
    [1.5, ink],
  ] as const) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.lineWidth = width * ratio;
    context.strokeStyle = color;
    context.stroke();
  }
}

function drawCross(
  context: CanvasRenderingContext2D,
  [x, y]: [number, number],
  ratio: number,
  ink: string,
  halo: string,
) {
  const arm = 14 * ratio;
  for (const [width, color] of [
    [4, halo],
    [1.5, ink],
  ] as const) {
    context.lineWidth = width * ratio;
    context.strokeStyle = color;
    context.beginPath();
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      context.moveTo(x + dx * arm * 0.35, y + dy * arm * 0.35);
      context.lineTo(x + dx * arm, y + dy * arm);
    }
    context.stroke();
  }
}
