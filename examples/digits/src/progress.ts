// Shows how a training comes along: a bar on a terminal, lines anywhere else.

import { SingleBar } from "cli-progress";
import type { Watcher } from "./epoch.js";
import { decimals, percent, whole } from "./numbers.js";
import type { Settings } from "./settings.js";

/** Where to show it: `process.stdout` is one. */
export type Screen = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** A watcher with a method for the end of the training. */
export type Progress = Watcher & { stop(): void };

/** Shows one training. */
export function showProgress(settings: Settings, trainingCount: number, screen: Screen): Progress {
  return screen.isTTY ? bar(settings, trainingCount, screen) : lines(settings, trainingCount, screen);
}

const nameWidth = 8;

function bar({ optimizer, epochs }: Settings, trainingCount: number, stream: Screen): Progress {
  const single = new SingleBar({
    stream,
    format: "{optimizer}{bar}  epoch {epoch}/{epochs}  loss {loss}  test {accuracy}  {speed} samples/s",
    barsize: 20,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    fps: 10,
    hideCursor: null,
    // A narrow terminal gets the beginning of the line, and not a new line for each update.
    linewrap: false,
    // Ctrl-C is the program's business.
    gracefulExit: false,
  });
  const started = performance.now();
  let samples = 0;
  let accuracy = "-".padStart(6);
  single.start(epochs * trainingCount, 0, {
    optimizer: optimizer.padEnd(nameWidth + 1),
    epoch: 1,
    epochs,
    loss: "-",
    accuracy,
    speed: "-",
  });
  return {
    batch({ epoch, samples: more, loss }) {
      samples += more;
      const speed = whole((samples * 1000) / (performance.now() - started));
      single.update(samples, { epoch, loss: decimals(loss, 4), accuracy, speed });
    },
    epoch({ testAccuracy }) {
      accuracy = percent(testAccuracy).padStart(6);
      single.update({ accuracy });
    },
    stop: () => single.stop(),
  };
}

function lines({ optimizer, epochs }: Settings, trainingCount: number, stream: Screen): Progress {
  return {
    batch() {},
    epoch({ epoch, trainingLoss, testAccuracy, seconds }) {
      const count = `${String(epoch).padStart(String(epochs).length)}/${epochs}`;
      const loss = decimals(trainingLoss, 4);
      const speed = whole(trainingCount / seconds);
      stream.write(
        `${optimizer.padEnd(nameWidth)} epoch ${count}  loss ${loss}  test ${percent(testAccuracy)}  ${speed} samples/s\n`,
      );
    },
    stop() {},
  };
}
