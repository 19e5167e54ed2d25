// The view of the training on digits.

import type { OptimizerName } from "@stepwell/sdk";
import { useCallback, useEffect, useRef } from "preact/hooks";
import type { Setup } from "../address.js";
import { contenderNames, contenderOptions, type DigitsSetup, digitRate, epochs } from "../digits-setup.js";
import { AccuracyChart } from "./accuracy-chart.js";
import { BatchChart } from "./batch-chart.js";
import { DrawPanel } from "./draw-panel.js";
import { useKeys } from "./keys.js";
import { MarkIcon } from "./mark.js";
import { displayOrder, markOf } from "./marks.js";
import { RateField } from "./rate-field.js";
import { type Theme, wantsStillness } from "./theme.js";
import type { TrainingClient } from "./training-client.js";
import { Icon } from "./transport.js";
import { TrustPanel } from "./trust-panel.js";
import { useChanges } from "./use-client.js";

interface Props {
  readonly client: TrainingClient;
  readonly setup: DigitsSetup;
  readonly theme: Theme;
  readonly onSetup: (change: (setup: Setup) => Setup) => void;
}

export function DigitsView({ client, setup, theme, onSetup }: Props) {
  useChanges(client, 100);
  const latest = useRef(setup);
  latest.current = setup;
  const { batch, contenders } = setup;

  const begin = useCallback(
    (change: (setup: DigitsSetup) => DigitsSetup, plays: boolean) => {
      const digits = change(latest.current);
      latest.current = digits;
      onSetup((before) => ({ ...before, digits }));
      client.start({
        batch: digits.batch,
        epochs,
        seed: 1,
        contenders: digits.contenders.map((optimizer) => ({
          optimizer,
          options: { ...contenderOptions[optimizer], lr: digitRate(digits, optimizer) },
        })),
      });
      if (plays) client.play();
    },
    [client, onSetup],
  );
  useEffect(() => begin((same) => same, !wantsStillness()), [begin]);
  useEffect(() => () => client.send({ type: "train off" }), [client]);

  const isDone = client.steps > 0 && client.step >= client.steps;
  const play = () => {
    if (client.isPlaying) client.send({ type: "train off" });
    else if (isDone) begin((same) => same, true);
    else client.play();
  };
  const toggle = (name: OptimizerName) =>
    begin((before) => {
      const chosen = before.contenders.includes(name)
        ? before.contenders.filter((other) => other !== name)
        : displayOrder.filter((other) => other === name || before.contenders.includes(other));
      return { ...before, contenders: chosen.length > 0 ? chosen : before.contenders };
    }, client.isPlaying);
  const rate = (name: OptimizerName, lr: number) => {
    onSetup((before) => ({
      ...before,
      digits: { ...before.digits, rates: { ...before.digits.rates, [name]: lr } },
    }));
    client.send({ type: "rate", optimizer: name, lr });
  };
  // Another batch size has other best rates.
  const setBatch = (size: number) => begin((before) => ({ ...before, batch: size, rates: {} }), true);

  useKeys({
    " ": play,
    ".": () => client.send({ type: "train once" }),
    r: () => begin((same) => same, client.isPlaying),
  });

  return (
    <main class="digits">
      <BatchChart client={client} batch={batch} contenders={contenders} onBatch={setBatch} />
      <section class="card board" aria-label="Training">
        <div class="transport">
          <div class="buttons">
            <button type="button" class="primary" onClick={play} title="Space">
              <Icon path={client.isPlaying ? "M6 4h4v16H6zM14 4h4v16h-4z" : "M7 4l13 8-13 8z"} />
              {client.isPlaying ? "Pause" : isDone ? "Again" : "Train"}
            </button>
            <button type="button" onClick={() => client.send({ type: "train once" })} title="One batch (.)">
              <Icon path="M5 4l10 8-10 8zM17 4h3v16h-3z" />
              Step
            </button>
            <button
              type="button"
              onClick={() => begin((same) => same, client.isPlaying)}
              title="From fresh weights (R)"
            >
              <Icon path="M12 5V1L6 6l6 5V7a5.5 5.5 0 1 1-5.5 5.5h-2A7.5 7.5 0 1 0 12 5z" />
              Reset
            </button>
          </div>
          <p class="clock">
            {client.isReady ? (
              <>
                Epoch <data value={String(client.epoch)}>{client.epoch.toFixed(1)}</data> of {epochs}, step{" "}
                <data value={String(client.step)} id="training-step">
                  {client.step}
                </data>{" "}
                of {client.steps}
              </>
            ) : (
              "Unpacking 10,000 handwritten digits …"
            )}
          </p>
          {client.refusal !== undefined && (
            <p class="problem" role="alert">
              {client.refusal}
            </p>
          )}
        </div>
        <div class="chips">
          {displayOrder
            .filter((name) => contenderNames.includes(name))
            .map((name) => (
              <button
                key={name}
                type="button"
                class={`chip of-${name}`}
                aria-pressed={contenders.includes(name)}
                onClick={() => toggle(name)}
              >
                <MarkIcon name={name} isHollow={!contenders.includes(name)} />
                {markOf(name).label}
              </button>
            ))}
        </div>
        <table class="standings">
          <caption class="unseen">The contenders</caption>
          <thead>
            <tr>
              <th scope="col">Optimizer</th>
              <th scope="col">Highest rate</th>
              <th scope="col" class="number">
                Rate now
              </th>
              <th scope="col" class="number">
                Loss
              </th>
              <th scope="col" class="number">
                Test
              </th>
            </tr>
          </thead>
          <tbody>
            {contenders.map((name) => {
              const contender = client.contenders.get(name);
              const accuracy = contender?.tests.at(-1)?.accuracy;
              return (
                <tr key={name}>
                  <th scope="row">
                    <span class={`contender of-${name}`}>
                      <MarkIcon name={name} /> {markOf(name).label}
                    </span>
                  </th>
                  <td>
                    <RateField name={name} value={digitRate(setup, name)} onRate={(lr) => rate(name, lr)} />
                  </td>
                  <td class="number quiet">{contender ? contender.lr.toPrecision(2) : "–"}</td>
                  <td class="number">{recent(contender?.losses ?? [])}</td>
                  <td class="number">
                    {accuracy === undefined ? (
                      "–"
                    ) : (
                      <data value={String(accuracy)} data-accuracy>
                        {(accuracy * 100).toFixed(1)}%
                      </data>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
        <AccuracyChart client={client} contenders={contenders} theme={theme} />
      </section>
      <DrawPanel client={client} />
      <TrustPanel client={client} contenders={contenders} />
    </main>
  );
}

/** The mean of the last losses. */
function recent(losses: readonly number[]): string {
  const last = losses.slice(-20);
  if (last.length === 0) return "–";
  return (last.reduce((sum, loss) => sum + loss, 0) / last.length).toPrecision(3);
}
