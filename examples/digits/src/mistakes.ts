// The test digits that a classifier got wrong, for the page to draw.

import { pixels, type SplitDigits } from "./digits.js";
import type { TestResult } from "./testing.js";

export interface Mistake {
  readonly digit: number;
  readonly answer: number;
  /** The probability of the classifier's answer. */
  readonly confidence: number;
  /** The image: a byte for each pixel, 255 for ink, in base64. */
  readonly image: string;
}

/** The mistakes that a classifier was surest of. */
export function worstMistakes(result: TestResult, { test, mean, deviation }: SplitDigits, most = 24): Mistake[] {
  const wrong = [...result.answers.keys()].filter((index) => result.answers[index] !== test.labels[index]);
  const confidence = (index: number) => result.confidences[index] ?? 0;
  return wrong
    .sort((a, b) => confidence(b) - confidence(a))
    .slice(0, most)
    .map((index) => {
      const normalised = test.images.subarray(index * pixels, (index + 1) * pixels);
      const bytes = Uint8ClampedArray.from(normalised, (value) => (value * deviation + mean) * 255);
      return {
        digit: test.labels[index] ?? 0,
        answer: result.answers[index] ?? 0,
        confidence: confidence(index),
        image: Buffer.from(bytes).toString("base64"),
      };
    });
}
