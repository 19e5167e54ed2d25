// A page that shows a training while it runs, over server-sent events.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CommandError } from "../command-error.js";
import { jsonNumber } from "../output/environment.js";
import type { TrainingObserver } from "./observer.js";
import { pageOf } from "./page.js";
import { type RecordOptions, TrainingRecorder } from "./training-record.js";

/** Where the page is. */
export interface LivePageOptions extends RecordOptions {
  /** The port of the page, from 0 to 65535. Default 0: any port that is free. */
  readonly port?: number;
  /** Called with the address once the page is there, such as `http://127.0.0.1:41005/`. Default: a line on stderr. */
  readonly onListen?: (address: string) => void;
}

/** In milliseconds: the page gets news so often. */
const INTERVAL = 250;

/** In milliseconds: a page that does not take the last record for so long is disconnected. */
const GRACE = 1000;

/**
 * Serves a page with loss, rates and norms of a training while it runs. Only programs of this machine reach it: it listens on
 * 127.0.0.1, and answers requests for this address alone. It loads nothing from elsewhere.
 *
 * The server ends with the training. A page that is open keeps its curves.
 */
export function livePage({ port = 0, onListen = announce, ...options }: LivePageOptions = {}): TrainingObserver {
  const recorder = new TrainingRecorder(options);
  const clients = new Set<ServerResponse>();
  let server: Server | undefined;
  let last = 0;
  const send = (isEnd: boolean) => {
    const data = `data: ${JSON.stringify(recorder.record, jsonNumber)}\n\n`;
    // A page that does not read gets the next record instead: each has everything.
    for (const client of clients) if (isEnd || !client.writableNeedDrain) client.write(data);
  };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const port = request.socket.localPort;
    // A page of another site may have a name that resolves to 127.0.0.1.
    if (![`127.0.0.1:${port}`, `localhost:${port}`].includes(request.headers.host ?? "")) return refuse(response, 403);
    if (request.method !== "GET") return refuse(response, 405);
    if (request.url === "/") {
      response.writeHead(200, { ...headers, "content-type": "text/html; charset=utf-8" });
      response.end(pageOf({ ...recorder.record, live: true }));
    } else if (request.url === "/events") {
      response.writeHead(200, { ...headers, "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify(recorder.record, jsonNumber)}\n\n`);
      clients.add(response);
      response.on("close", () => clients.delete(response));
    } else refuse(response, 404);
  };
  return {
    async begin() {
      recorder.begin();
      server = createServer(answer);
      await listen(server, port);
      onListen(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    },
    event(event) {
      recorder.event(event);
      if (clients.size === 0 || (event.type === "step" && performance.now() - last < INTERVAL)) return;
      last = performance.now();
      send(event.type === "done");
    },
    async end() {
      for (const client of clients) client.end();
      const late = setTimeout(() => server?.closeAllConnections(), GRACE);
      await new Promise((resolve) => {
        server?.close(resolve);
        server?.closeIdleConnections();
      });
      clearTimeout(late);
    },
  };
}

const headers = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:",
  "x-content-type-options": "nosniff",
};

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, headers).end();
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", ({ message }) => reject(new CommandError("ERR_PORT", `port ${port}: ${message}`)));
    server.listen(port, "127.0.0.1", resolve);
  });
}

const announce = (address: string) => void process.stderr.write(`Live: ${address}\n`);
