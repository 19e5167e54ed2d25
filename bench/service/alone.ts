// Fastify alone: the routes of examples/service with their schemas, and answers that are constant.

import { madeTripSchema, tripSchema } from "@stepwell/example-service/trips";
import { fastify } from "fastify";

const app = fastify();
app.post("/trips", { schema: { body: madeTripSchema } }, async (_, reply) => {
  reply.code(201);
  return { id: 1 };
});
app.post("/estimates", { schema: { body: tripSchema } }, async () => ({ minutes: 12.5, version: 1 }));
app.get("/health", async () => ({ status: "ok" }));
console.log(await app.listen({ host: "127.0.0.1", port: 0 }));
process.once("SIGTERM", () => app.close());
