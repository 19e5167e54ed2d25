// Processes on machines of their own: network namespaces, which reach each other over a bridge alone.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openNetwork, reasonAgainstNetworks } from "../../bench/distributed/network.js";
import { outputOf } from "../output-of-child.js";

const example = join(import.meta.dirname, "../../examples/distributed/dist/main.js");
const reason = reasonAgainstNetworks();
const suffix = reason === undefined ? "" : ` (not run: ${reason})`;

/** Trains the digits on machines of a network, and returns the lines and errors of each. */
async function train(size: number, variables: (card: string) => Record<string, string>) {
  const network = openNetwork(size);
  try {
    const ranks = network.addresses.map((_, rank) => {
      const { program, args } = network.on(rank, process.execPath, example, "--digits", "1000", "--epochs", "2");
      const child = spawn(program, args, {
        env: {
          ...process.env,
          STEPWELL_ENGINE: "native",
          RANK: String(rank),
          WORLD_SIZE: String(size),
          MASTER_ADDR: network.addresses[0],
          MASTER_PORT: "29500",
          ...variables(network.card),
        },
      });
      return outputOf(child);
    });
    return await Promise.all(ranks);
  } finally {
    network.close();
  }
}

/** The losses of the epochs. */
const lossesOf = (out: string) => [...out.matchAll(/loss (\d\.\d+)/g)].map(([, loss]) => Number(loss));

test.skipIf(reason !== undefined).each([
  [2, "by the address that reaches rank 0", () => ({})],
  [2, "by GLOO_SOCKET_IFNAME", (card: string) => ({ GLOO_SOCKET_IFNAME: card })],
  [4, "by the address that reaches rank 0", () => ({})],
] as const)(`%i machines find each other %s and train the digits${suffix}`, async (size, _, variables) => {
  const ranks = await train(size, variables);
  for (const [rank, { code, out, error }] of ranks.entries()) {
    expect({ code, error }, `rank ${rank}`).toEqual({ code: 0, error: "" });
    const losses = lossesOf(out);
    expect(losses, out).toHaveLength(rank === 0 ? 2 : 0);
    if (rank === 0) expect(losses[1]).toBeLessThan(losses[0] as number);
  }
});

test.skipIf(reason !== undefined)(`a card that a machine lacks is an error${suffix}`, async () => {
  const [rank] = await train(1, () => ({ GLOO_SOCKET_IFNAME: "absent0" }));
  expect(rank?.code).toBe(1);
  expect(rank?.error).toMatch(
    /expected network interfaces or addresses of this machine, given "absent0".*ERR_ARGUMENT/s,
  );
});
