// The pages of the codes of the command line: their commands end with the errors that they show.

import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { commandCodes } from "../../packages/cli/src/command-error.js";
import { installed, type Project } from "./installed.js";

let project: Project;
beforeAll(() => {
  project = installed();
  const files = {
    "flowers.csv": "length,width,kind\n1,2,lily\n2,1,rose\n",
    "sums.csv": "a,b,sum\n1,2,3\n4,5,9\n0,1,1\n2,2,4\n",
    "model.json": '["linear",2,2]',
    "broken.mjs": 'export default () => {\n  throw new Error("no layers today");\n};\n',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(project.folder, name), content);
  mkdirSync(join(project.folder, "empty"));
});
afterAll(() => project.remove());

const page = (code: string) =>
  readFileSync(new URL(`../../docs/errors/${code}.md`, import.meta.url), "utf8").replaceAll("\r", "");

it.each(commandCodes)("%s", async (code) => {
  // The port of the page is one that another program has.
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const text = page(code).replaceAll("8080", String((server.address() as AddressInfo).port));
  const [, command = ""] = /```sh\nnpx stepwell (.*)\n```/.exec(text) ?? [];
  const [, shown = ""] = /```text\n(.*)\n```/.exec(text) ?? [];
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
  const machine = code === "ERR_LIBTORCH_FETCH" ? { LIBTORCH: "", PATH: "empty", XDG_CACHE_HOME: "empty" } : {};
  const { stderr } = project.run(words, "", machine);
  server.close();
  const pattern = shown.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace("…", ".*");
  expect(stderr.trimEnd()).toMatch(RegExp(`^${pattern}$`));
});
