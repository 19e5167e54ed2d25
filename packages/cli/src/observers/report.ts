// The report of a training as one HTML page that needs nothing but itself.

import { writeFileSync } from "node:fs";
import { fileError } from "../command-error.js";
import type { TrainingObserver } from "./observer.js";
import { pageOf } from "./page.js";
import { type RecordOptions, TrainingRecorder } from "./training-record.js";

/** Whether a page is a report, from its first bytes. */
export const isReport = (start: string) => start.includes('<meta name="generator" content="Stepwell">');

/** Writes a report at the end of a training, however it ends. A file with that name is replaced. */
export function report(path: string, options: RecordOptions = {}): TrainingObserver {
  const recorder = new TrainingRecorder(options);
  return {
    begin: () => recorder.begin(),
    event: (event) => recorder.event(event),
    end() {
      try {
        writeFileSync(path, pageOf(recorder.record));
      } catch (error) {
        throw fileError(path, error);
      }
    },
  };
}
