// The race on a surface.

import type { OptimizerName, OptionRow } from "@stepwell/sdk";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { type Groups, moveTo, type Setup } from "../address.js";
import { defaultOptions } from "../defaults.js";
import type { OptionValue } from "../options.js";
import { type SurfaceName, surfaceNames, surfaces } from "../surfaces/index.js";
import { CodePanel } from "./code-panel.js";
import { useKeys } from "./keys.js";
import { LossChart } from "./loss-chart.js";
import { SurfaceMap } from "./map.js";
import { displayOrder } from "./marks.js";
import { OptionsPanel } from "./options-panel.js";
import type { RaceClient } from "./race-client.js";
import { Standings } from "./standings.js";
import { type Theme, wantsStillness } from "./theme.js";
import { Transport } from "./transport.js";
import { useChanges } from "./use-client.js";

interface Props {
  readonly client: RaceClient;
  readonly setup: Setup;
  readonly theme: Theme;
  readonly onSetup: (change: (setup: Setup) => Setup) => void;
}

export function SurfacesView({ client, setup, theme, onSetup }: Props) {
  useChanges(client, 250);
  const { surface: name, hidden, selected, speed, until } = setup;
  const surface = surfaces[name];
  const latest = useRef(setup);
  latest.current = setup;
  /** Rows of options at the moment of saving, to which going back returns. */
  const kept = useRef<Setup["options"] | undefined>(undefined);

  const begin = useCallback(
    (change: (setup: Setup) => Setup, plays: boolean) => {
      const next = change(latest.current);
      latest.current = next;
      onSetup(() => next);
      const racers = displayOrder.map((optimizer) => ({ optimizer, groups: next.options[optimizer] }));
      client.start({ surface: next.surface, start: next.start, racers }, next.until);
      if (plays) client.play(next.speed);
    },
    [client, onSetup],
  );
  const again = (change: (setup: Setup) => Setup = (same) => same) => begin(change, client.isPlaying);

  // The race that the address tells of begins by itself, unless the reader wants things to hold still.
  useEffect(() => begin((same) => same, !wantsStillness()), [begin]);
  useEffect(() => () => client.pause(), [client]);

  const play = () => {
    if (client.isPlaying) client.pause();
    else if (client.clock >= until) begin((same) => same, true);
    else client.play(speed);
  };
  const save = () => {
    kept.current = latest.current.options;
    client.save();
  };
  const restore = () => {
    if (!client.saved) return;
    const options = kept.current;
    if (options) onSetup((before) => ({ ...before, options }));
    client.restore();
  };
  const toggle = (optimizer: OptimizerName) =>
    onSetup((before) => ({
      ...before,
      hidden: before.hidden.includes(optimizer)
        ? before.hidden.filter((other) => other !== optimizer)
        : [...before.hidden, optimizer],
    }));
  const select = (optimizer: OptimizerName) => onSetup((before) => ({ ...before, selected: optimizer }));
  const change = (optimizer: OptimizerName, group: number, option: string, value: OptionValue) => {
    onSetup((before) => withOption(before, optimizer, group, option, value));
    client.edit(optimizer, group, { [option]: value });
  };
  const rate = (optimizer: OptimizerName, lr: number) => {
    for (const group of setup.options[optimizer].keys()) change(optimizer, group, "lr", lr);
  };
  const split = (isSplit: boolean) =>
    again((before) => {
      const [first, second = first] = before.options[selected];
      return withGroups(before, selected, isSplit ? [first, second] : [first]);
    });
  const reset = () => again((before) => withGroups(before, selected, [defaultOptions(before.surface, selected)]));
  const go = (surface: SurfaceName) =>
    begin((before) => moveTo(before, surface), client.isPlaying || !wantsStillness());
  const setSpeed = (speed: number) => {
    onSetup((before) => ({ ...before, speed }));
    if (client.isPlaying) client.play(speed);
  };

  useKeys({
    " ": play,
    ".": () => client.step(),
    r: () => again(),
    s: save,
    b: restore,
    "[": () => go(beside(name, -1)),
    "]": () => go(beside(name, 1)),
    "+": () => setSpeed(Math.min(1000, Math.round(speed * 1.5))),
    "-": () => setSpeed(Math.max(1, Math.round(speed / 1.5))),
    c: () => document.getElementById("copy")?.click(),
    ...Object.fromEntries(displayOrder.map((optimizer, index) => [String(index + 1), () => toggle(optimizer)])),
  });

  const { refusal } = client;
  return (
    <main class="surfaces">
      <nav class="picker" aria-label="Surface">
        {surfaceNames.map((other) => (
          <button key={other} type="button" aria-pressed={other === name} onClick={() => go(other)}>
            {surfaces[other].title}
          </button>
        ))}
      </nav>
      <section class="card stage" aria-label={surface.title}>
        <SurfaceMap
          client={client}
          surface={name}
          start={setup.start}
          hidden={hidden}
          selected={selected}
          theme={theme}
          onStart={(start) => begin((before) => ({ ...before, start }), client.isPlaying || client.clock >= until)}
        />
        <div class="story">
          <h2>
            {surface.title} <span class="formula">{surface.formula}</span>
          </h2>
          <p>{surface.about}</p>
          <p class="quiet small">
            {surface.source}. Click the map to start elsewhere; a ring marks the start, a cross each minimum.
          </p>
        </div>
      </section>
      <section class="card board" aria-label="Standings">
        <Transport
          client={client}
          speed={speed}
          until={until}
          onPlay={play}
          onStep={() => client.step()}
          onReset={() => again()}
          onSave={save}
          onRestore={restore}
          onSpeed={setSpeed}
        />
        <Standings
          client={client}
          options={setup.options}
          hidden={hidden}
          selected={selected}
          onToggle={toggle}
          onSelect={select}
          onRate={rate}
        />
        <LossChart client={client} hidden={hidden} selected={selected} theme={theme} />
      </section>
      <OptionsPanel
        selected={selected}
        groups={setup.options[selected]}
        refusal={refusal && (refusal.optimizer ?? selected) === selected ? refusal.message : undefined}
        onSelect={select}
        onChange={(group, option, value) => change(selected, group, option, value)}
        onSplit={split}
        onReset={reset}
      />
      <CodePanel client={client} selected={selected} />
    </main>
  );
}

function beside(name: SurfaceName, distance: number): SurfaceName {
  const index = surfaceNames.indexOf(name) + distance + surfaceNames.length;
  return surfaceNames[index % surfaceNames.length] ?? name;
}

function withGroups(setup: Setup, optimizer: OptimizerName, groups: Groups): Setup {
  return { ...setup, options: { ...setup.options, [optimizer]: groups } };
}

function withOption(setup: Setup, optimizer: OptimizerName, group: number, option: string, value: OptionValue): Setup {
  const rows: readonly OptionRow[] = setup.options[optimizer];
  const changed = rows.map((row, index) => (index === group ? { ...row, [option]: value } : row));
  return withGroups(setup, optimizer, changed as unknown as Groups);
}
