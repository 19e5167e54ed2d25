// Trainings of `fit` that one process makes, or several, with equal results.

import * as k from "@stepwell/sdk";

const samples = 21;
const inputs = Array.from({ length: samples }, (_, i) => [Math.sin(i), Math.cos(2 * i), i / samples]);
const classes = inputs.map((_, i) => i % 3);
const pairs = () => inputs.map((input, i) => [input, i % 3] as const);

/** Ways to give the same data. */
export const sources = {
  memory: () => ({ inputs, targets: classes }),
  samples: () => ({ samples: pairs, count: samples }),
  batches: () => ({
    batches: function* () {
      for (let i = 0; i < samples; i += 8) yield [inputs.slice(i, i + 8), classes.slice(i, i + 8)] as const;
    },
  }),
};

export type SourceName = keyof typeof sources;

export interface Fit {
  readonly name: string;
  readonly source: SourceName;
  readonly options: k.FitOptions;
}

const sized = (source: SourceName) => (source === "batches" ? {} : { batchsize: 8 });

/** Each source in its own order and in a drawn one, with the options that processes have to agree on. */
export const fits: readonly Fit[] = (["memory", "samples", "batches"] as const).flatMap((source) => {
  const validation = { inputs: inputs.slice(0, 5), targets: classes.slice(0, 5) };
  return [
    { name: `${source}`, source, options: { ...sized(source), epochs: 2 } },
    {
      name: `${source}, shuffled`,
      source,
      options: { ...sized(source), epochs: 3, shuffle: true, validation, earlystop: { mindelta: 1e9, patience: 2 } },
    },
    { name: `${source}, accumulated`, source, options: { ...sized(source), accumulate: 2, clipnorm: 0.1 } },
  ];
});

/** A model with dropout, or without. Only rank 0 begins with the parameters of the seed. */
export function modelOf(rank: number, dropout = false): k.Model {
  k.seed(3 + rank);
  const middle = dropout ? (["drop", 0.4] as const) : ("tanh" as const);
  const net = k.module(k.seq("sequential", ["linear", "a", 3, 5], middle, ["linear", "b", 5, 3]));
  k.to(net, "double");
  return new k.Model(net, "ce", k.opt("lamb", net, { lr: 0.05 }));
}

/** All numbers of a module and of an optimizer. */
export const numbersOf = ({ module, optimizer }: k.Model) => {
  const rows = k.state(optimizer).parms.map(({ name, buffers }) => ({ name, buffers }));
  return { module: k.state(module), optimizer: rows };
};

export interface Fitted {
  readonly name: string;
  readonly history: k.FitHistory;
  readonly parameters: readonly number[];
  readonly events: readonly string[];
}

/** Makes all trainings. The events of each are read. */
export async function allFitted(rank: number): Promise<readonly Fitted[]> {
  const results: Fitted[] = [];
  for (const { name, source, options } of fits) {
    const parameters = (model: k.Model) =>
      k.parmnames(model.module).flatMap((name) => Array.from(k.data(k.parm(model.module, name), "double").data));
    const awaited = modelOf(rank);
    const history = await awaited.fit(sources[source](), { ...options, distributed: true });
    const iterated = modelOf(rank);
    const events: string[] = [];
    for await (const event of iterated.fit(sources[source](), { ...options, distributed: true })) {
      events.push(event.type);
    }
    if (String(parameters(awaited)) !== String(parameters(iterated))) throw new Error(`${name}: not the same again`);
    results.push({ name, history, parameters: parameters(awaited), events });
    for (const model of [awaited, iterated]) model.dispose();
  }
  return results;
}
