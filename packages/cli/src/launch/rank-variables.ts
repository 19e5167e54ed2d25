// The variables of a process of a group, as torchrun sets them.

/** The place of a process in its group, and the group among restarts. */
export interface RankPlace {
  readonly rank: number;
  readonly size: number;
  /** The port where the processes meet. */
  readonly port: number;
  /** The number of the restart, from 0. */
  readonly restart: number;
  readonly restarts: number;
}

/** The variables of a process: the ones of `launch` and its own place. */
export function rankVariables(
  own: NodeJS.ProcessEnv,
  { rank, size, port, restart, restarts }: RankPlace,
): NodeJS.ProcessEnv {
  return {
    ...own,
    RANK: String(rank),
    LOCAL_RANK: String(rank),
    WORLD_SIZE: String(size),
    LOCAL_WORLD_SIZE: String(size),
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: String(port),
    TORCHELASTIC_RESTART_COUNT: String(restart),
    TORCHELASTIC_MAX_RESTARTS: String(restarts),
  };
}
