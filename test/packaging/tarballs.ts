// A folder of one run of vitest, in which the first test that needs tarballs leaves them to the others.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    readonly tarballs: string;
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "stepwell-tarballs-"));
  project.provide("tarballs", folder);
  return () => rmSync(folder, { recursive: true });
}
