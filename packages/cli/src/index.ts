// Observers of a training, for programs: a progress bar, TensorBoard files, a report and a live page.

export { CommandError } from "./command-error.js";
