// The surface with the paths on it. A click, or the arrow keys and Enter, choose the start.

import type { OptimizerName } from "@stepwell/sdk";
import { useEffect, useRef, useState } from "preact/hooks";
import { type SurfaceName, surfaces } from "../surfaces/index.js";
import { drawPaths } from "./paths.js";
import type { RaceClient } from "./race-client.js";
import { paintRelief } from "./relief.js";
import type { Theme } from "./theme.js";

interface Props {
  readonly client: RaceClient;
  readonly surface: SurfaceName;
  readonly start: readonly [number, number];
  readonly hidden: readonly OptimizerName[];
  readonly selected: OptimizerName;
  readonly theme: Theme;
  readonly onStart: (start: [number, number]) => void;
}

/** Pixels of the map that are computed; the canvas over it is as sharp as the screen. */
const reliefSize = 720;

export function SurfaceMap({ client, surface: name, start, hidden, selected, theme, onStart }: Props) {
  const surface = surfaces[name];
  const ground = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const [cursor, setCursor] = useState<[number, number] | undefined>();

  useEffect(() => {
    const canvas = ground.current;
    if (!canvas) return;
    canvas.width = reliefSize;
    canvas.height = reliefSize;
    canvas.getContext("2d")?.putImageData(paintRelief(surface, reliefSize, theme), 0, 0);
  }, [surface, theme]);

  useEffect(() => {
    const canvas = over.current;
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return;
    let asked = 0;
    const draw = () => {
      asked = 0;
      const ratio = Math.min(devicePixelRatio, 2);
      const size = Math.round(canvas.clientWidth * ratio);
      if (size === 0) return;
      if (canvas.width !== size) {
        canvas.width = size;
        canvas.height = size;
      }
      const { tracks } = client;
      drawPaths(context, size, ratio, { surface, start, tracks, hidden, selected, theme, cursor });
    };
    const ask = () => {
      if (asked === 0) asked = requestAnimationFrame(draw);
    };
    ask();
    const leave = client.subscribe(ask);
    const observer = new ResizeObserver(ask);
    observer.observe(canvas);
    return () => {
      leave();
      observer.disconnect();
      cancelAnimationFrame(asked);
    };
  }, [client, surface, start, hidden, selected, theme, cursor]);

  const width = surface.view.x[1] - surface.view.x[0];
  const inside = (x: number, y: number): [number, number] => {
    const clamp = (value: number, [low, high]: readonly [number, number]) => Math.max(low, Math.min(high, value));
    const rounded = (value: number) => Math.round(value * 1000) / 1000;
    return [rounded(clamp(x, surface.view.x)), rounded(clamp(y, surface.view.y))];
  };
  const choose = (event: MouseEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const x = surface.view.x[0] + ((event.clientX - box.left) / box.width) * width;
    const y = surface.view.y[1] - ((event.clientY - box.top) / box.height) * width;
    setCursor(undefined);
    onStart(inside(x, y));
  };
  const move = (event: KeyboardEvent) => {
    const far = (event.shiftKey ? 0.1 : 0.02) * width;
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
    const [x, y] = cursor ?? start;
    if (dx !== undefined && dy !== undefined) setCursor(inside(x + dx * far, y + dy * far));
    else if (event.key === "Enter" && cursor) {
      onStart(cursor);
      setCursor(undefined);
    } else if (event.key === "Escape") setCursor(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const [x, y] = cursor ?? start;
  return (
    <div class="map">
      <canvas ref={ground} />
      <div
        class="map-control"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: as above
        tabIndex={0}
        aria-label={`Map of ${surface.title}. Start at x ${x}, y ${y}. Arrow keys move the start, Enter takes it.`}
        onClick={choose}
        onKeyDown={move}
        onBlur={() => setCursor(undefined)}
      >
        <canvas ref={over} />
      </div>
    </div>
  );
}
