import { start } from "./service.js";
import { readSettings } from "./settings.js";

try {
  const service = await start(readSettings(process.env));
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => service.stop());
} catch (error) {
  console.error(`The service does not start: ${(error as Error).message}`);
  process.exitCode = 1;
}
