import { start } from "./service.js";
import { readSettings } from "./settings.js";

const service = await start(readSettings(process.env));
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => service.stop());
