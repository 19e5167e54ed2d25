// The service: routes, training, checkpoints, and the order in which they start and stop.

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fastify, LogController } from "fastify";
import { Estimator } from "./estimator.js";
import { measure } from "./metrics.js";
import type { Settings } from "./settings.js";
import { Store } from "./store.js";
import { Training } from "./training.js";
import { type MadeTrip, madeTripSchema, type Trip, tripSchema } from "./trips.js";
import { shared } from "./turn.js";

/** A service that runs. */
export interface Service {
  readonly address: string;
  /** Refuses new requests, answers those that arrive within `drainSeconds`, saves, and closes the files. */
  stop(): Promise<void>;
}

/** Starts the service from what is in its folder. */
export async function start(settings: Settings): Promise<Service> {
  if (!existsSync(settings.folder)) mkdirSync(settings.folder);
  const store = new Store(join(settings.folder, "trips.db"), () => training.wake());
  const estimator = new Estimator(join(settings.folder, "checkpoint.safetensors"));
  // After a power failure, or if the database is another one.
  const lost = Math.max(0, estimator.last - store.last);
  store.goOnAfter(estimator.last);
  const training = new Training(estimator, store, {
    steps: (count, loss) => metrics.steps(count, loss),
    save: (save) => metrics.timeSave(save),
    // A full disk, for example.
    unsaved: (error) => app.log.error(error, "the checkpoint was not saved"),
  });
  const requestTimeout = settings.requestSeconds * 1000;
  const app = fastify({
    logger: { level: settings.logLevel },
    // By default Fastify sets no limit. Node takes the longer of both limits for a body, and looks at intervals.
    requestTimeout,
    http: { requestTimeout, headersTimeout: requestTimeout, connectionsCheckingInterval: 1000 },
    logController: new LogController({ disableRequestLogging: true }),
    // A whole number for a text would be a guess.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });

  const estimate = shared((trips: readonly Trip[]) => estimator.estimate(trips));
  const metrics = measure(app, {
    service_trips: () => store.count,
    service_trips_behind: () => training.behind,
    service_version: () => estimator.version,
    service_unsaved_steps: () => estimator.unsaved,
    service_skipped_steps: () => estimator.skipped,
  });

  app.post<{ Body: MadeTrip }>("/trips", { schema: { body: madeTripSchema } }, async ({ body }, reply) => {
    reply.code(201);
    return { id: await store.append(body) };
  });

  app.post<{ Body: Trip }>("/estimates", { schema: { body: tripSchema } }, async ({ body }, reply) => {
    if (estimator.version > 0) return await estimate(body);
    return reply.code(503).header("retry-after", "1").send({ error: "no weights are published yet" });
  });

  app.get("/health", async (_, reply) => {
    const { version, steps, unsaved } = estimator;
    if (version === 0) reply.code(503);
    return { status: version === 0 ? "learning" : "ok", version, steps, unsaved, trips: store.count };
  });

  const timer = setInterval(() => training.saveSoon(), settings.checkpointSeconds * 1000);

  // Runs after the last request has been answered.
  app.addHook("onClose", async () => {
    clearInterval(timer);
    await training.stop().finally(() => store.close());
  });

  training.wake();
  const address = await app.listen({ host: settings.host, port: settings.port }).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  if (lost > 0)
    app.log.warn({ lost }, "the database lacks the last trips of the training, which goes on with new ones");
  app.log.info({ version: estimator.version, trips: store.count }, "resumed");

  const stop = async () => {
    // The checkpoint does not wait for the clients.
    training.saveSoon();
    const deadline = setTimeout(() => {
      app.log.warn("connections with unfinished requests are closed");
      app.server.closeAllConnections();
    }, settings.drainSeconds * 1000);
    // A client may keep its connection open after its answer.
    const sweep = setInterval(() => app.server.closeIdleConnections(), 50);
    await app.close().finally(() => {
      clearInterval(sweep);
      clearTimeout(deadline);
    });
  };
  return { address, stop };
}
