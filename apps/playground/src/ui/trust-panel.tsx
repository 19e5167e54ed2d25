// How far a step moves each layer, measured from its parameters before and after.

import type { OptimizerName } from "@stepwell/sdk";
import { MarkIcon } from "./mark.js";
import { markOf } from "./marks.js";
import type { TrainingClient } from "./training-client.js";
import { useChanges } from "./use-client.js";

interface Props {
  readonly client: TrainingClient;
  readonly contenders: readonly OptimizerName[];
}

/** Powers of ten that the bars cover. */
const [least, most] = [-5, 0];

export function TrustPanel({ client, contenders }: Props) {
  useChanges(client, 200);
  const names = [...client.contenders.values()][0]?.layers.map(({ name }) => name) ?? [];
  const lamb = client.contenders.get("lamb")?.layers;
  return (
    <section class="card" aria-labelledby="trust-title">
      <h2 id="trust-title">How far a step moves each layer</h2>
      <p class="quiet small">
        Relative step, ‖after − before‖ / ‖before‖, on a scale from 10⁻⁵ to 1. LAMB multiplies each layer's update u by
        the trust ratio r = ‖before‖ / ‖u‖, clipped to [trustmin, trustmax], so that its layers move alike.
      </p>
      {names.length === 0 && <p class="quiet">After the first step.</p>}
      <div class="layers">
        {names.map((layer, index) => (
          <div key={layer} class="layer">
            <h3>
              {layer}
              {lamb?.[index]?.trust !== undefined && (
                <span class="quiet"> LAMB's r = {lamb[index].trust.toPrecision(3)}</span>
              )}
            </h3>
            {contenders.map((name) => {
              const relative = client.contenders.get(name)?.layers[index]?.relative ?? 0;
              return (
                <div key={name} class={`meter of-${name}`}>
                  <MarkIcon name={name} />
                  <meter
                    min={least}
                    max={most}
                    value={relative > 0 ? Math.max(least, Math.log10(relative)) : least}
                    aria-label={`${markOf(name).label}, ${layer}`}
                  />
                  <data value={String(relative)}>
                    {relative > 0 ? relative.toExponential(1).replace("-", "−") : "0"}
                  </data>
                </div>
              );
            })}
          </div>
        ))}
      </div>
    </section>
  );
}
