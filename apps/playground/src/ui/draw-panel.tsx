// A pad to draw a digit on, and each contender's classification of it.

import { useEffect, useRef } from "preact/hooks";
import { pixels, side, testCount } from "../digits-data.js";
import { center } from "./ink.js";
import { MarkIcon } from "./mark.js";
import { markOf } from "./marks.js";
import type { TrainingClient } from "./training-client.js";
import { useChanges } from "./use-client.js";

/** Pixels of the pad for each pixel of a digit. */
const scale = 10;
/** The digit of the test that is shown at first. */
const firstShown = 0;

export function DrawPanel({ client }: { readonly client: TrainingClient }) {
  useChanges(client, 100);
  const pad = useRef<HTMLCanvasElement>(null);
  const last = useRef<[number, number] | undefined>(undefined);
  const isDrawn = useRef(false);
  const { reading, step } = client;

  const context = () => pad.current?.getContext("2d", { willReadFrequently: true }) ?? undefined;
  const clear = () => {
    const paper = context();
    if (!paper) return;
    paper.fillStyle = "#000";
    paper.fillRect(0, 0, side * scale, side * scale);
  };
  useEffect(clear, []);

  /** The drawing as the digits are: centred, 28 × 28, from 0 to 1. */
  const read = () => {
    const paper = context();
    if (!paper || !isDrawn.current) return;
    const { data } = paper.getImageData(0, 0, side * scale, side * scale);
    const ink = Float32Array.from({ length: data.length / 4 }, (_, index) => (data[4 * index] ?? 0) / 255);
    const image = center(ink, side * scale);
    if (image) client.send({ type: "read", image });
  };
  /** The digit of the test that is on the pad, if nothing is drawn. */
  const shownIndex = useRef(firstShown);
  const show = (index: number) => {
    shownIndex.current = index;
    isDrawn.current = false;
    client.send({ type: "show", index });
  };
  // The drawing is classified again while the training continues.
  useEffect(() => {
    if (isDrawn.current) read();
    else if (client.isReady) show(shownIndex.current);
  }, [client.isReady, Math.floor(step / 10)]);

  const draw = (event: PointerEvent) => {
    const paper = context();
    const canvas = pad.current;
    if (!paper || !canvas || (event.buttons & 1) === 0) return;
    const box = canvas.getBoundingClientRect();
    const point: [number, number] = [
      ((event.clientX - box.left) / box.width) * canvas.width,
      ((event.clientY - box.top) / box.height) * canvas.height,
    ];
    if (!isDrawn.current) clear();
    isDrawn.current = true;
    paper.strokeStyle = "#fff";
    paper.lineWidth = 2.2 * scale;
    paper.lineCap = "round";
    paper.lineJoin = "round";
    paper.beginPath();
    paper.moveTo(...(last.current ?? point));
    paper.lineTo(...point);
    paper.stroke();
    last.current = point;
    read();
  };

  // A digit of the test is shown on the pad.
  useEffect(() => {
    const paper = context();
    if (!paper || !reading || reading.label === undefined || isDrawn.current) return;
    const image = paper.createImageData(side, side);
    for (let pixel = 0; pixel < pixels; pixel++) {
      image.data.fill(Math.round((reading.image[pixel] ?? 0) * 255), 4 * pixel, 4 * pixel + 3);
      image.data[4 * pixel + 3] = 255;
    }
    createImageBitmap(image).then((bitmap) => {
      paper.imageSmoothingEnabled = false;
      paper.drawImage(bitmap, 0, 0, side * scale, side * scale);
    });
  }, [reading]);

  return (
    <section class="card draw" aria-labelledby="draw-title">
      <div class="card-head">
        <h2 id="draw-title">Draw a digit</h2>
        <span class="quiet small">
          {reading?.label !== undefined && !isDrawn.current && `a test digit, labelled ${reading.label}`}
        </span>
      </div>
      <div class="pad">
        <canvas
          ref={pad}
          width={side * scale}
          height={side * scale}
          role="img"
          aria-label="A pad to draw a digit on; the button next to it shows a digit of the test instead."
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            last.current = undefined;
            draw(event);
          }}
          onPointerMove={draw}
          onPointerUp={() => {
            last.current = undefined;
          }}
        />
        <div class="buttons">
          <button
            type="button"
            onClick={() => {
              isDrawn.current = true;
              clear();
            }}
          >
            Clear
          </button>
          <button type="button" onClick={() => show(Math.floor(Math.random() * testCount))}>
            A test digit
          </button>
        </div>
      </div>
      <div class="readings" aria-live="polite">
        {reading?.readings.map(({ optimizer, probabilities }) => {
          const likeliest = probabilities.indexOf(Math.max(...probabilities));
          return (
            <div key={optimizer} class={`reading of-${optimizer}`}>
              <p>
                <MarkIcon name={optimizer} /> {markOf(optimizer).label} <b>{likeliest}</b>
              </p>
              <div class="bars" aria-hidden="true">
                {Array.from(probabilities, (probability, digit) => (
                  <Bar key={digit} digit={digit} share={probability} isBest={digit === likeliest} />
                ))}
              </div>
            </div>
          );
        })}
      </div>
    </section>
  );
}

function Bar({ digit, share, isBest }: { readonly digit: number; readonly share: number; readonly isBest: boolean }) {
  return (
    <svg viewBox="0 0 10 40" class={isBest ? "best" : ""} aria-hidden="true">
      <rect x="1.5" y={28 - 27 * share} width="7" height={Math.max(0.6, 27 * share)} rx="1" />
      <text x="5" y="38" text-anchor="middle">
        {digit}
      </text>
    </svg>
  );
}
