// The program that `stepwell doctor` starts for each engine: it trains a small model, and prints a report as JSON.

import type { EngineName } from "@stepwell/sdk";
import type { EngineReport } from "./doctor.js";

// The caller sets it.
const engine = process.env.STEPWELL_ENGINE as EngineName;

async function examine(): Promise<EngineReport> {
  try {
    const k = await import("@stepwell/sdk");
    k.seed(1);
    const net = k.module(["linear", 1, 1]);
    const regression = k.model(net, k.loss("mse"), k.opt("adam", net, { lr: 0.1 }));
    const inputs = [[0], [1], [2]];
    k.train(regression, inputs, [[1], [3], [5]]);
    for (let i = 0; i < 500; i++) k.run(regression);
    const slope = Number(k.tensor(k.parm(net, "weight")));
    if (Math.abs(slope - 2) > 0.05) throw new Error(`a training that learns a slope of 2 learned ${slope}`);
    const { libtorch } = k.engineInfo;
    const threads = k.setting("threads");
    return { engine, trains: true, threads, ...(libtorch && { libtorch, cuda: k.cudaStatus() }) };
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
    return { engine, trains: false, error: { code: String(code ?? "ERR_ENGINE"), message: String(message) } };
  }
}

process.stdout.write(JSON.stringify(await examine()));
