// The training of examples/digits, with its digits and its settings.

import { readDigits, splitDigits } from "@stepwell/example-digits/digits";
import { settingsFor } from "@stepwell/example-digits/settings";
import { train } from "@stepwell/example-digits/training";
import { free } from "@stepwell/sdk";
import { serve } from "./serve.js";

await serve(Number(process.env.OMP_NUM_THREADS ?? 1), () => {
  const digits = splitDigits(readDigits());
  const settings = settingsFor("lamb", { device: "cpu", seed: 1 });
  const inAnEpoch = Math.ceil(digits.training.labels.length / settings.batch);
  return {
    // Whole epochs, of which the time that the training took by its own clock counts.
    async step(steps) {
      const { epochs, classifier } = await train({ ...settings, epochs: Math.ceil(steps / inAnEpoch) }, digits);
      free(classifier);
      const made = epochs.reduce((sum, epoch) => sum + epoch.steps, 0);
      const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
      return (seconds / made) * steps * 1e9;
    },
    moved: () => 0,
  };
});
