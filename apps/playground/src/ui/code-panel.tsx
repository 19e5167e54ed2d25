// The program that makes the selected racer's run again.

import type { OptimizerName } from "@stepwell/sdk";
import { useEffect, useState } from "preact/hooks";
import { code } from "../code.js";
import { highlight } from "./highlight.js";
import { markOf } from "./marks.js";
import type { RaceClient } from "./race-client.js";
import { useChanges } from "./use-client.js";

interface Props {
  readonly client: RaceClient;
  readonly selected: OptimizerName;
}

export function CodePanel({ client, selected }: Props) {
  useChanges(client, 250);
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [isCopied]);

  const text = codeOf(client, selected);
  const copy = async () => {
    // Not the text that is shown, which may be a moment old.
    await navigator.clipboard.writeText(codeOf(client, selected));
    setCopied(true);
  };
  return (
    <section class="card code" aria-labelledby="code-title">
      <div class="card-head">
        <h2 id="code-title">This run of {markOf(selected).label} in TypeScript</h2>
        <button type="button" id="copy" onClick={copy} title="C">
          {isCopied ? "Copied" : "Copy"}
        </button>
      </div>
      <p class="quiet">It makes the same steps, with every change at its step, and ends at the same bits.</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <pre tabIndex={0}>
        <code>
          {highlight(text).map(({ kind, text: part }, index) => (
            <span key={index} class={kind}>
              {part}
            </span>
          ))}
        </code>
      </pre>
    </section>
  );
}

/** The program of a racer as it stands. */
export function codeOf(client: RaceClient, optimizer: OptimizerName): string {
  const { settings } = client;
  const racer = settings?.racers.find((racer) => racer.optimizer === optimizer);
  const track = client.tracks.get(optimizer);
  if (!settings || !racer) return "";
  const { surface, start } = settings;
  return code({
    surface,
    start,
    settings: racer,
    edits: track?.edits ?? [],
    steps: Math.max(0, (track?.count ?? 1) - 1),
  });
}
