// A model of the time of a step of many processes, from what was measured with few.

/** Measured figures, in seconds and bytes. */
export interface Measures {
  readonly parameters: number;
  readonly forward: number;
  readonly backward: number;
  readonly optimizer: number;
  /** Of one message to another process. */
  readonly latency: number;
  /** Bytes a second that a process sends, while it receives as many. */
  readonly bandwidth: number;
}

/** The predicted parts of a step, in seconds. */
export interface Cost {
  readonly communication: number;
  readonly step: number;
  /** Of a step whose optimizer is sharded: each process updates its share and sends it to the others. */
  readonly sharded: number;
  /** In bytes: the state of an optimizer with two moments, on each process. */
  readonly state: number;
  readonly shardedState: number;
}

const BYTES = 4;
const BUCKET = 25 << 20;

/**
 * A bucket is sent in shares and comes back in shares. Each half moves (size - 1) / size of its bytes, in size - 1 messages. The backward hides the reduction. A sharded optimizer updates a share on each process, and a further half sends the parameters.
 */
export function costOf(measures: Measures, size: number): Cost {
  const { parameters, forward, backward, optimizer, latency, bandwidth } = measures;
  const bytes = parameters * BYTES;
  const buckets = Math.ceil(bytes / BUCKET) + 1;
  const half = (bytes * (size - 1)) / size / bandwidth + buckets * (size - 1) * latency;
  const reduced = forward + Math.max(backward, 2 * half);
  const state = parameters * 2 * BYTES;
  return {
    communication: 2 * half,
    step: reduced + optimizer,
    sharded: reduced + optimizer / size + half,
    state,
    shardedState: state / size,
  };
}

/**
 * The bandwidth from which a sharded step is shorter, in bytes a second, if messages take no time. The optimizer saves (size - 1) / size of its
 * time, and the gather takes as much of the time of all parameters, whatever the number of processes.
 */
export const bandwidthForShards = ({ parameters, optimizer }: Measures): number => (parameters * BYTES) / optimizer;
