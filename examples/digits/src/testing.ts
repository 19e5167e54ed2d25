// How good a classifier is on digits that it was not trained on.

import { ce, data, evaluate, free, type ModuleHandle, type TensorHandle } from "@stepwell/sdk";
import { classes } from "./digits.js";

/** A classifier's answers to the test digits. */
export interface TestResult {
  readonly loss: number;
  /** Share of right answers. */
  readonly accuracy: number;
  /** The class that each digit was taken for. */
  readonly answers: Uint8Array;
  /** How likely the classifier found that class. */
  readonly confidences: Float32Array;
}

/** Asks a classifier about all test digits at once. */
export function test(classifier: ModuleHandle, images: TensorHandle, labels: Uint8Array): TestResult {
  const logits = evaluate(classifier, images);
  const loss = ce(logits, labels);
  const result = { loss: Number(data(loss).data[0]), ...readAnswers(data(logits).data as Float32Array) };
  free(logits, loss);
  const right = result.answers.reduce((count, answer, index) => count + Number(answer === labels[index]), 0);
  return { ...result, accuracy: right / labels.length };
}

/** The likeliest class of each row of logits, with its softmax probability. */
function readAnswers(logits: Float32Array): { answers: Uint8Array; confidences: Float32Array } {
  const count = logits.length / classes;
  const answers = new Uint8Array(count);
  const confidences = new Float32Array(count);
  for (let index = 0; index < count; index++) {
    const row = logits.subarray(index * classes, (index + 1) * classes);
    const largest = Math.max(...row);
    answers[index] = row.indexOf(largest);
    confidences[index] = 1 / row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  }
  return { answers, confidences };
}

/** How often each class (rows) was taken for each class (columns). */
export function confusion(labels: Uint8Array, answers: Uint8Array): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [index, label] of labels.entries()) {
    const row = counts[label];
    const answer = answers[index];
    if (row && answer !== undefined) row[answer] = (row[answer] ?? 0) + 1;
  }
  return counts;
}
