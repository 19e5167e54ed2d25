// A network of machines within this one: a network namespace for each, whose cards a bridge joins. Linux as root.

import { execFileSync } from "node:child_process";

/** A program that runs on a machine of the network. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

export interface Network {
  /** The addresses of the machines. */
  readonly addresses: readonly string[];
  /** The name of the network card of each machine. */
  readonly card: string;
  /** A program on a machine. */
  on(machine: number, program: string, ...args: readonly string[]): Command;
  /** Removes the machines. */
  close(): void;
}

const card = "eth0";

/** Runs a command of iproute2. */
const run = (program: "ip" | "tc", text: string) =>
  execFileSync(program, text.split(" "), { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** The reason why this machine cannot have such a network; undefined if it can. */
export function reasonAgainstNetworks(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are of Linux";
  if (process.geteuid?.() !== 0) return "network namespaces need root";
  try {
    openNetwork(1).close();
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return `no network namespaces: ${(stderr ?? message).trim().split("\n")[0]}`;
  }
}

let count = 0;

/** Makes a network. `rate` limits what each machine sends and receives, in the words of `tc`, such as `1gbit`. */
export function openNetwork(size: number, rate?: string): Network {
  const name = `stepwell-${process.pid}-${count++}`;
  const bridge = `${name}-bridge`;
  const machine = (rank: number) => `${name}-${rank}`;
  const addresses = Array.from({ length: size }, (_, rank) => `10.77.0.${rank + 1}`);
  const opened: string[] = [];
  const open = (namespace: string) => {
    run("ip", `netns add ${namespace}`);
    opened.push(namespace);
  };
  const close = () => {
    for (const namespace of opened.splice(0)) run("ip", `netns delete ${namespace}`);
  };
  try {
    // The bridge has a namespace, too, so that nothing of it is in the network of the machine itself.
    open(bridge);
    run("ip", `-n ${bridge} link add bridge type bridge`);
    run("ip", `-n ${bridge} link set bridge up`);
    for (const [rank, address] of addresses.entries()) {
      open(machine(rank));
      run("ip", `-n ${bridge} link add port${rank} type veth peer name ${card} netns ${machine(rank)}`);
      run("ip", `-n ${bridge} link set port${rank} master bridge up`);
      run("ip", `-n ${machine(rank)} address add ${address}/24 dev ${card}`);
      run("ip", `-n ${machine(rank)} link set ${card} up`);
      run("ip", `-n ${machine(rank)} link set lo up`);
      if (rate === undefined) continue;
      // A burst of several segments that the kernel has put together. A queue that is longer than one of a real card drops nothing.
      const filter = `root tbf rate ${rate} burst 256kb latency 50ms`;
      run("tc", `-n ${machine(rank)} qdisc add dev ${card} ${filter}`);
      run("tc", `-n ${bridge} qdisc add dev port${rank} ${filter}`);
    }
  } catch (error) {
    close();
    throw error;
  }
  const on = (rank: number, program: string, ...args: readonly string[]) => ({
    program: "ip",
    args: ["netns", "exec", machine(rank), program, ...args],
  });
  return { addresses, card, on, close };
}
