// The page: it shows how far the training of the worker is.

import { type Progress, type Request, side } from "./messages.js";

const element = <Kind extends HTMLElement>(id: string) => document.getElementById(id) as Kind;
const [canvas, figures] = [element<HTMLCanvasElement>("plane"), element<HTMLOutputElement>("figures")];
const [pause, restart] = [element<HTMLButtonElement>("pause"), element<HTMLButtonElement>("restart")];

const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const ask = (request: Request) => worker.postMessage(request);

worker.addEventListener("message", ({ data }: MessageEvent<Progress>) => {
  const { steps, resumedAt, saved, loss, accuracy } = data;
  figures.value = `step ${steps}, loss ${loss}, ${Math.round(100 * accuracy)} % right, resumed at ${resumedAt}, saved at ${saved}`;
  pause.disabled = restart.disabled = false;
  draw(data.grid);
});
worker.addEventListener("error", ({ message }) => {
  figures.value = `The training ended: ${message}`;
});
pause.addEventListener("click", () => {
  const isPaused = pause.textContent === "Go on";
  ask(isPaused ? "resume" : "pause");
  pause.textContent = isPaused ? "Pause" : "Go on";
});
restart.addEventListener("click", () => ask("restart"));

const [ochre, petrol] = [
  [233, 176, 92],
  [16, 106, 122],
] as const;

/** Draws probabilities from one colour to the other. */
function draw(grid: Float32Array): void {
  const image = new ImageData(side, side);
  for (const [n, p] of grid.entries()) {
    const mixed = petrol.map((part, i) => part + p * ((ochre[i] ?? 0) - part));
    image.data.set([...mixed, 255], 4 * n);
  }
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}
