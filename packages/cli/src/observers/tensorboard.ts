// The events of a training as files of TensorBoard.

import type { EpochEvent, FitEvent } from "@stepwell/sdk";
import * as k from "@stepwell/sdk";
import { EventFile, type EventFileOptions } from "../tensorboard/event-file.js";
import type { TrainingObserver } from "./observer.js";
import { gradientsOf, type ObservedModel, parametersOf, UpdateNorms } from "./update-norms.js";

/** The content of event files. */
export interface TensorBoardOptions extends EventFileOptions {
  /** The model that is trained: rates, norms and histograms are written, too. */
  readonly model?: ObservedModel;
  /** Steps from one measurement of norms to the next. Default 10. */
  readonly every?: number;
  /** Whether parameters and gradients are written as histograms at the end of each epoch. Default true. */
  readonly histograms?: boolean;
  /** A text in Markdown about the run. */
  readonly description?: string;
}

/**
 * Writes the losses of steps, the figures of epochs, learning rates, norms and histograms into an event file in a folder.
 *
 * The last step of every `every` steps is measured: `norm/gradient`, `norm/update`, and for each parameter the update relative to its
 * weights. For LAMB there is also the trust ratio.
 */
export function tensorboard(folder: string, options: TensorBoardOptions = {}): TrainingObserver {
  const { model, every = 10, histograms = true, description } = options;
  const norms = model && new UpdateNorms(model);
  let file: EventFile;
  let step = 0;
  return {
    begin() {
      file = new EventFile(folder, options);
      if (description !== undefined) file.text("description", description);
      if (every === 1) norms?.before();
    },
    event(event: FitEvent) {
      if (event.type === "done") {
        file.text("end", event.reason, step);
        return;
      }
      if (event.type === "epoch") {
        writeEpoch(file, event, step);
        if (model && histograms) writeHistograms(file, model, step);
        return;
      }
      if (event.type !== "step") return;
      step = event.step;
      file.scalar("loss/step", event.loss, step);
      if (model) {
        for (const [group, rate] of k.lr(model.optimizer).entries()) file.scalar(`rate/group ${group}`, rate, step);
      }
      if (step % every === 0) writeNorms(file, norms, step);
      if ((step + 1) % every === 0) norms?.before();
    },
    end() {
      file.close();
    },
  };
}

function writeEpoch(file: EventFile, { epoch, validation, type: _, ...figures }: EpochEvent, step: number): void {
  file.scalar("epoch", epoch, step);
  for (const [name, value] of Object.entries(figures)) {
    if (typeof value === "number") file.scalar(`${name}/training`, value, step);
  }
  for (const [name, value] of Object.entries(validation ?? {})) {
    if (typeof value === "number") file.scalar(`${name}/validation`, value, step);
  }
}

function writeNorms(file: EventFile, norms: UpdateNorms | undefined, step: number): void {
  const measured = norms?.after();
  if (!measured) return;
  file.scalar("norm/gradient", measured.gradient, step);
  file.scalar("norm/update", measured.update, step);
  for (const { name, weight, update, trustRatio } of measured.parameters) {
    if (weight > 0) file.scalar(`relative update/${name}`, update / weight, step);
    if (trustRatio !== null) file.scalar(`trust ratio/${name}`, trustRatio, step);
  }
}

function writeHistograms(file: EventFile, { module }: ObservedModel, step: number): void {
  for (const [name, values] of parametersOf(module)) file.histogram(`parameter/${name}`, values, step);
  for (const [name, values] of gradientsOf(module)) file.histogram(`gradient/${name}`, values, step);
}
