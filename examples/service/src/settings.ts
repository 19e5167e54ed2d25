// Settings from the environment.

/** How the service runs. */
export interface Settings {
  readonly host: string;
  /** 0 for one that is free. */
  readonly port: number;
  /** The folder of the database and of the checkpoint. */
  readonly folder: string;
  /** Seconds from one checkpoint to the next. */
  readonly checkpointSeconds: number;
  /** Seconds in which a request has to arrive. */
  readonly requestSeconds: number;
  /** Seconds from a stop until connections with unfinished requests are closed. */
  readonly drainSeconds: number;
  readonly logLevel: string;
}

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];

/** Reads the settings, and throws a sentence about the first that cannot be used. An empty text is not a default. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const text = (name: string, otherwise: string, expected = "a text", fits = (value: string) => value !== "") => {
    const value = env[name] ?? otherwise;
    if (fits(value)) return value;
    throw new RangeError(`${name}: expected ${expected}, given "${value}"`);
  };
  const number = (name: string, otherwise: number, least: number, most: number, digits = /^\d+$/) => {
    const kind = digits.test("0.5") ? "a number" : "a whole number";
    const fits = (value: string) => digits.test(value) && Number(value) >= least && Number(value) <= most;
    return Number(text(name, `${otherwise}`, `${kind} from ${least} to ${most}`, fits));
  };
  const decimal = /^\d+(?:\.\d+)?$/;
  return {
    host: text("HOST", "127.0.0.1", "an address"),
    port: number("PORT", 3000, 0, 65_535),
    folder: text("DATA_FOLDER", "data", "a folder"),
    checkpointSeconds: number("CHECKPOINT_SECONDS", 5, 0.01, 86_400, decimal),
    requestSeconds: number("REQUEST_SECONDS", 10, 0.01, 86_400, decimal),
    drainSeconds: number("DRAIN_SECONDS", 5, 0, 86_400, decimal),
    logLevel: text("LOG_LEVEL", "info", `one of ${logLevels.join(", ")}`, (value) => logLevels.includes(value)),
  };
}
