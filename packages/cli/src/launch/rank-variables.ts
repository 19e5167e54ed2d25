// The variables of a process of a group, as torchrun sets them.

/** The place of a process in its group, and the group among restarts. */
export interface RankPlace {
  readonly rank: number;
  readonly size: number;
  /** The port where the processes meet. */
  readonly port: number;
  /** The id of the launch, which restarts keep. */
  readonly id: string;
  /** The number of the restart, from 0. */
  readonly restart: number;
  readonly restarts: number;
}

/** The variables of a process: the ones of `launch`, without the place that torchrun has given `launch` itself, and its own place. */
export function rankVariables(
  own: NodeJS.ProcessEnv,
  { rank, size, port, id, restart, restarts }: RankPlace,
): NodeJS.ProcessEnv {
  const others = Object.entries(own).filter(([name]) => !name.startsWith("TORCHELASTIC_"));
  return {
    ...Object.fromEntries(others),
    RANK: String(rank),
    LOCAL_RANK: String(rank),
    WORLD_SIZE: String(size),
    LOCAL_WORLD_SIZE: String(size),
    // This machine is the only one.
    GROUP_RANK: "0",
    GROUP_WORLD_SIZE: "1",
    ROLE_NAME: "default",
    ROLE_RANK: String(rank),
    ROLE_WORLD_SIZE: String(size),
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: String(port),
    TORCHELASTIC_RESTART_COUNT: String(restart),
    TORCHELASTIC_MAX_RESTARTS: String(restarts),
    TORCHELASTIC_RUN_ID: id,
    // Rank 0 opens the port.
    TORCHELASTIC_USE_AGENT_STORE: "False",
  };
}
