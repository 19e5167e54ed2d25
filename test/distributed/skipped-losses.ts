// Trainings that leave out the steps of losses that are not finite, with equal results on one process and on several.

import * as k from "@stepwell/sdk";

/** A training of which some losses are not finite. */
export interface SkippedRun {
  readonly samples: readonly number[];
  readonly value: number;
  readonly accumulate: number;
  readonly loop: "fit" | "run";
}

export const skippedRuns: readonly SkippedRun[] = (["fit", "run"] as const).flatMap((loop) =>
  [[0], [1], [3], [6], [0, 5], [2, 7]].flatMap((samples) =>
    [2, 4].map((accumulate) => ({ samples, value: samples.length > 1 ? Infinity : NaN, accumulate, loop })),
  ),
);

/** Makes a training that leaves out the steps of these losses. `share` gives it to the processes of a group. */
export async function trainSkipping(
  { samples, value, accumulate, loop }: SkippedRun,
  share?: (model: k.ModelHandle) => Promise<void>,
): Promise<unknown> {
  k.seed(1);
  const net = k.module(["linear", 1, 1]);
  k.to(net, "double");
  const o = k.opt("sgd", net, 0.1);
  const rows = Array.from({ length: 10 }, (_, i) => [samples.includes(i) ? value : i / 8]);
  const columns = rows.map((_, i) => [i]);
  const options = { batchsize: 2, accumulate, nonfiniteloss: "skip", metrics: ["loss", "batchloss"] } as const;
  const numbers = () => k.parmnames(net).flatMap((name) => Array.from(k.data(k.parm(net, name), "double").data));
  if (loop === "fit") {
    const history = await new k.Model(net, "mse", o).fit(
      { inputs: rows, targets: columns },
      { ...options, distributed: true, epochs: 2 },
    );
    return plain({ history, numbers: numbers(), skipped: k.skipped(o) });
  }
  const model = k.model(net, k.loss("mse"), o);
  k.train(model, options);
  k.train(model, k.tensor(rows, "double"), k.tensor(columns, "double"));
  await share?.(model);
  const results = [];
  for (let batch = 0; batch < 8; batch++) results.push(k.batch(model, true) ?? null);
  return plain({ results, metrics: k.metrics(model), numbers: numbers(), skipped: k.skipped(o) });
}

/** As JSON, with numbers that are not finite as texts. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, part) => (typeof part === "number" && !Number.isFinite(part) ? String(part) : part)),
  );
