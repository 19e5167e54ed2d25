// Training by several processes: their group, and operations on the tensors of all of them.

import type { DistributedOptions } from "../../generated/settings.js";
import type { TensorHandle } from "../../handle.js";
import type { AnyDictionary, AnyModel, AnyModule, AnyOptimizer, AnyTensor, AnyVector } from "../../types/objects.js";
import type { ProcessGroup, ProcessGroupOptions, ReduceOperation } from "../../types/process-groups.js";
import { refuseSurplus } from "../../values/refuse.js";
import { callOfGroup, joinGroup, leaveGroup } from "./joined-group.js";

/**
 * Meets the other processes of a training, and waits for them. Each process calls it once, with the same number of processes and the
 * same host and port. Without options it takes them from the variables that `torchrun` and `stepwell launch` set: `RANK`,
 * `WORLD_SIZE`, `MASTER_ADDR` and `MASTER_PORT`.
 *
 * From then on, the processes call the same functions of the group in the same order. If a process ends, the others get
 * `ERR_DISTRIBUTED` within a second. If it is frozen or late, they get it after the timeout, by default 60 seconds. The group is of no use then: start the
 * processes again, from the last checkpoint. On libtorch, with tensors on the CPU.
 *
 * @example
 * ```ts no-run
 * const { rank } = await initProcessGroup();
 * const classifier = model(m, loss("ce"), opt("lamb", m));
 * await distributed(classifier);
 * train(classifier, inputs, classes);
 * const mean = await runAsync(classifier);
 * if (rank === 0) console.log(mean);
 * ```
 */
export function initProcessGroup(options?: ProcessGroupOptions): Promise<ProcessGroup>;
export async function initProcessGroup(...args: readonly unknown[]): Promise<unknown> {
  const [options, ...surplus] = args;
  refuseSurplus("initProcessGroup", surplus);
  return joinGroup("initProcessGroup", options);
}

/**
 * Leaves the process group; without one, does nothing. Optimizers that were {@link distributed} then make their steps alone. One whose
 * state is sharded makes none any more: it is ERR_ARGUMENT.
 */
export function destroyProcessGroup(): Promise<void>;
export async function destroyProcessGroup(...args: readonly unknown[]): Promise<void> {
  await leaveGroup(args);
}

/**
 * Trains the parameters of an optimizer, or of a model, with the other processes from now on. All processes have made the same module and
 * the same optimizer with the same parameter groups. They begin with the parameters and buffers of rank 0. A model brings all of its module,
 * and an optimizer all modules that have a parameter of it. Names, shapes, types, options or a state of the optimizer that differ are
 * one error on every process, which names the first. Called again, it compares and begins anew: after each process has loaded a checkpoint,
 * or has joined another group. A step compares the parameters if a program has written to one.
 *
 * A {@link run} has the same data on each process. Of each batch, a process computes its part: the parts are consecutive, and differ by at
 * most one sample. Gradients are added in double precision, in the order of the ranks, weighted by the samples. So the processes make the
 * step of one process on the whole batch, and `batchsize`, losses and metrics mean the same. A shuffled order is the one of
 * rank 0. Running statistics are the weighted mean of the processes, and counts of batches the largest number. Dropout draws from the generator of each process: {@link seed} it
 * by rank.
 *
 * A {@link step} takes the mean of the gradients of all processes, and writes it into the gradients. Clip with its options: before, a
 * gradient is the one of this process alone. A gradient that some processes lack counts as zeros there.
 *
 * With `sharded`, each process has the state of a part of the parameters, makes their steps, and gives their values to the others. Parameters,
 * losses and states are the same to the bit as without it. `state`, `average`, and `save` with the optimizer need all processes: each calls
 * them, and of `save`, each process writes its part of the file. `bytes` counts the state of this process. L-BFGS is `ERR_UNSUPPORTED`.
 *
 * @example
 * ```ts no-run
 * await distributed(o);
 * backward(mse(forward(m, ownInputs), ownTargets));
 * await stepAsync(o, { clipnorm: 1 });
 * ```
 */
export function distributed(optimizer: AnyOptimizer | AnyModel, options?: DistributedOptions): Promise<void>;
export async function distributed(...args: readonly unknown[]): Promise<void> {
  await callOfGroup("distributed", args);
}

/**
 * Replaces each element of tensors, in place, by the reduced elements of all processes: by default their sum. Of a module, its parameters and buffers.
 * Elements are reduced as by {@link reduceScatter}. All processes have as many tensors, of the same shapes and dtypes: otherwise each gets
 * `ERR_DISTRIBUTED`, and nothing has changed. A backward through an older graph of the tensors is an error, as after {@link copyto}.
 */
export function allReduce(
  object: AnyTensor | AnyVector | AnyDictionary | AnyModule | AnyModel,
  operation?: ReduceOperation,
): Promise<void>;
export async function allReduce(...args: readonly unknown[]): Promise<void> {
  await callOfGroup("allReduce", args);
}

/**
 * Replaces the elements of tensors, in place, by the elements of one process, by default of rank 0. Of a module, its parameters and buffers. A
 * backward through an older graph of the tensors is an error on all processes.
 */
export function broadcast(
  object: AnyTensor | AnyVector | AnyDictionary | AnyModule | AnyModel,
  rank?: number,
): Promise<void>;
export async function broadcast(...args: readonly unknown[]): Promise<void> {
  await callOfGroup("broadcast", args);
}

/** The tensors of all processes along a new first dimension, in the order of the ranks. All have one shape and dtype. */
export function allGather(tensor: AnyTensor): Promise<TensorHandle>;
export async function allGather(...args: readonly unknown[]): Promise<unknown> {
  return callOfGroup("allGather", args);
}

/**
 * This process's part of the reduced elements of all, by default of their sum. Rank r gets part r along the first dimension, which the
 * number of processes divides. Elements are reduced in the order of the ranks, floats in double precision. A minimum or a maximum is NaN where one
 * element is. A mean is finite where all elements are, even if their sum is not.
 */
export function reduceScatter(tensor: AnyTensor, operation?: ReduceOperation): Promise<TensorHandle>;
export async function reduceScatter(...args: readonly unknown[]): Promise<unknown> {
  return callOfGroup("reduceScatter", args);
}

/** Waits until every process has called it. */
export function barrier(): Promise<void>;
export async function barrier(...args: readonly unknown[]): Promise<void> {
  await callOfGroup("barrier", args);
}
