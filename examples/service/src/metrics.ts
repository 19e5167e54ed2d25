// Metrics in the text format of Prometheus.

import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Functions that the gauges call when they are read. */
export type Readings = Readonly<Record<keyof typeof gauges, () => number>>;

const gauges = {
  service_trips: "Trips in the database.",
  service_trips_behind: "Trips that no training step has taken yet.",
  service_version: "Steps after which the weights were published that answer now.",
  service_unsaved_steps: "Steps since the last checkpoint.",
  service_skipped_steps: "Steps left out because a gradient was not finite.",
} as const;

/** Counts and times the requests of an app, and serves `/metrics`. Returns where training steps and checkpoints are reported. */
export function measure(app: FastifyInstance, readings: Readings) {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  for (const [name, help] of Object.entries(gauges)) {
    const read = readings[name as keyof typeof gauges];
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }
  const loss = new Gauge({ name: "service_loss", help: "Loss of the last training steps.", registers });
  const steps = new Counter({ name: "service_steps_total", help: "Training steps of this process.", registers });
  const saves = new Histogram({ name: "service_checkpoint_seconds", help: "Time of a checkpoint.", registers });
  const requests = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time of a request.",
    labelNames: ["method", "route", "status"] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers,
  });

  app.addHook("onResponse", async (request, reply) => {
    const { url = "none" } = request.routeOptions;
    requests.observe({ method: request.method, route: url, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
  app.get("/metrics", async (_, reply) => reply.type(register.contentType).send(await register.metrics()));

  return {
    steps: (count: number, value: number) => {
      loss.set(value);
      steps.inc(count);
    },
    timeSave: async (save: () => Promise<void>): Promise<void> => {
      const end = saves.startTimer();
      await save().finally(end);
    },
  };
}
