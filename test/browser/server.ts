// A server of files, whose answers a test can change.

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** Properties of the answer to a path; the others are as a plain server of files has them. */
export type Answer = (path: string) => {
  readonly policy?: string;
  readonly status?: number;
  readonly type?: string;
  readonly body?: string;
};

/** Serves the files of a folder on this machine. */
export async function serve(root: string, answer: Answer = () => ({})) {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "", "http://localhost").pathname;
    const file = join(root, path === "/" ? "index.html" : path);
    const { policy, status, type, body } = answer(path);
    if (!existsSync(file) && body === undefined) return response.writeHead(404).end();
    const headers = { "Content-Type": type ?? types[extname(file)] ?? "application/octet-stream" };
    return response
      .writeHead(status ?? 200, policy ? { ...headers, "Content-Security-Policy": policy } : headers)
      .end(body ?? readFileSync(file));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
