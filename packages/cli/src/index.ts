// Observers of a training, for programs: a progress bar, files of TensorBoard, a report and a live page.

export { CommandError } from "./command-error.js";
export { type LivePageOptions, livePage } from "./observers/live-page.js";
export { observe, type TrainingObserver } from "./observers/observer.js";
export { pageOf } from "./observers/page.js";
export { type ProgressOptions, progressBar } from "./observers/progress-bar.js";
export { report } from "./observers/report.js";
export { type TensorBoardOptions, tensorboard } from "./observers/tensorboard.js";
export type { NormsRecord, RecordOptions, TrainingRecord } from "./observers/training-record.js";
export {
  type ObservedModel,
  type ParameterNorms,
  type StepNorms,
  UpdateNorms,
} from "./observers/update-norms.js";
export type { OutputStream } from "./output/environment.js";
export { EventFile, type EventFileOptions } from "./tensorboard/event-file.js";
