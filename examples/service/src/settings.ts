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
  readonly logLevel: string;
}

/** Reads the settings, and throws a sentence if one is not a number. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const number = (name: string, otherwise: number) => {
    const value = Number(env[name] ?? otherwise);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new Error(`${name}: expected a number from 0 on, given "${env[name]}".`);
  };
  return {
    host: env.HOST ?? "127.0.0.1",
    port: number("PORT", 3000),
    folder: env.DATA_FOLDER ?? "data",
    checkpointSeconds: number("CHECKPOINT_SECONDS", 5),
    logLevel: env.LOG_LEVEL ?? "info",
  };
}
