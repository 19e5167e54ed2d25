// Opens a page in Chromium and prints the lines of its console until the name of the engine, which the program prints last.
//
// node test/dist/install/open-page.js PATH FOLDER, or PATH -- COMMAND…: serves the folder, or starts a server that prints its address.

import { spawn } from "node:child_process";
import { executablePath, launch } from "../browser/chromium.js";
import { serve } from "../browser/server.js";

const [path = "", folder = "", ...command] = process.argv.slice(2);

/** The address of a server that a command starts, and the end of the server. */
async function start([program = "", ...args]: readonly string[]) {
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
  const server = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "inherit"], env });
  const close = () => process.kill(-(server.pid ?? 0));
  let output = "";
  const address = await new Promise<string>((resolve, reject) => {
    server.stdout.on("data", (text) => {
      output += String(text);
      const [found] = /http:\/\/(?:localhost|127\.0\.0\.1):\d+/.exec(output) ?? [];
      if (found) resolve(`${found}/`);
    });
    server.on("exit", () => reject(new Error(`the server ended: ${output}`)));
  });
  return { address, close };
}

if (!executablePath) throw new Error("there is no Chromium: name it in CHROMIUM");
const server = folder === "--" ? await start(command) : await serve(folder);
const browser = await launch();
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  const ended = new Promise<void>((resolve, reject) => {
    page.on("console", (message) => {
      if (message.type() === "log") console.log(message.text());
      if (message.type() === "log" && message.text() === "wasm") resolve();
    });
    page.on("pageerror", reject);
  });
  await Promise.all([page.goto(server.address + path), ended]);
} finally {
  await browser.close();
  server.close();
}
