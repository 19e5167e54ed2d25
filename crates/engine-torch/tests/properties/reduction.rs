//! Gradients that several processes reduce while a backward computes them. Here each process is a thread with an engine of its own.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "clippy exempts tests, but not their helpers")]

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use stepwell_engine_torch::{HostDevices, Tensor, TorchEngine};
use stepwell_optim::Result;
use stepwell_session::{Engine, GradientReduction, GroupSettings, Reduced, ReductionWeights, RunningReduction};
use tch::{Device, Kind};

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs a function in each process of a group, with its rank.
fn in_group<R: Send>(size: usize, run: impl Fn(&TorchEngine, usize) -> R + Sync) -> Vec<R> {
    in_group_of(TorchEngine::new, size, run)
}

fn in_group_of<R: Send>(
    engine: impl Fn() -> TorchEngine + Sync,
    size: usize,
    run: impl Fn(&TorchEngine, usize) -> R + Sync,
) -> Vec<R> {
    let port = free_port();
    thread::scope(|scope| {
        let (engine, run) = (&engine, &run);
        let ranks = (0..size).map(|rank| {
            scope.spawn(move || {
                let engine = engine();
                let (host, timeout) = ("127.0.0.1".to_owned(), Duration::from_secs(60));
                let hosts_store = rank == 0;
                let settings = GroupSettings { rank, size, host, port, timeout, hosts_store, interface: None };
                engine.connect(&settings).unwrap();
                run(&engine, rank)
            })
        });
        let ranks: Vec<_> = ranks.collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

fn leaf(numbers: &[f64]) -> tch::Tensor {
    tch::Tensor::from_slice(numbers).set_requires_grad(true)
}

/// An engine whose tensors on the CPU count as tensors of a device. Operations of libtorch then do what loops do otherwise.
fn with_host_devices() -> TorchEngine {
    TorchEngine::with_host_devices(HostDevices { devices: Vec::new(), of: Box::new(|_| None) })
}

fn shared(tensors: &[&tch::Tensor]) -> Vec<Tensor> {
    tensors.iter().map(|tensor| Tensor::try_from(tensor.shallow_clone()).unwrap()).collect()
}

/// Starts a reduction of sums in which rank r has `weight` times r + 1.
fn start(engine: &TorchEngine, parameters: &[&tch::Tensor], order: &[usize], weight: f64) -> Box<dyn RunningReduction> {
    let weights = move |rows: &[Vec<f64>]| {
        let gradients = (1..=rows.len()).map(|n| n as f64 * weight).collect();
        Some(ReductionWeights { gradients, buffers: Vec::new() })
    };
    let reduction = GradientReduction {
        parameters: shared(parameters),
        order: order.to_vec(),
        buffers: Vec::new(),
        announced: vec![0.0],
        weights: Box::new(weights),
    };
    engine.process_group().unwrap().start_reduction(reduction).unwrap()
}

fn gradient(tensor: &tch::Tensor) -> Option<Vec<f64>> {
    let gradient = tensor.grad();
    gradient.defined().then(|| Vec::try_from(gradient.reshape([-1])).unwrap())
}

#[test]
fn a_gradient_that_the_backward_still_reads_is_not_overwritten() {
    in_group(1, |engine, _| {
        let (a, b) = (leaf(&[1.0, 2.0]), leaf(&[3.0, 4.0]));
        let slow = tch::Tensor::ones([600, 600], (Kind::Double, Device::Cpu)).set_requires_grad(true);
        // A backward begins with the last operation. The gradient of `a` is a view of the one that `product` reads after the slow
        // products.
        let product = &b * &tch::Tensor::from_slice(&[5.0, 6.0]);
        let power = slow.matmul(&slow).matmul(&slow);
        let sum = a.view([2, 1]).view([2]) + product;
        let loss = (sum * tch::Tensor::from_slice(&[7.0, 8.0])).sum(Kind::Double) + power.sum(Kind::Double);
        let loss = Tensor::try_from(loss).unwrap();
        let running = start(engine, &[&a, &b], &[0, 1], 3.0);
        engine.backward(&loss, 1.0).unwrap();
        let reduced = running.finish(true).unwrap();
        // In the order of the backward: `a` comes first. Gradients that are found after the backward begin with `b`.
        assert_eq!(reduced.arrived, Some(vec![vec![0.0, 1.0]]));
        assert_eq!(gradient(&a), Some(vec![21.0, 24.0]));
        assert_eq!(gradient(&b), Some(vec![105.0, 144.0]));
    });
}

#[test]
fn gradients_are_added_that_some_processes_lack_or_nobody_expects() {
    in_group(3, |engine, rank| {
        let tensors = [leaf(&[1.0, 2.0]), leaf(&[3.0]), leaf(&[4.0]), leaf(&[5.0])];
        let [a, b, c, d] = &tensors;
        // `a` everywhere, `b` on rank 1 alone, `c` nowhere, `d` on rank 2 alone and in no bucket.
        let mut loss = a.sum(Kind::Double) * (rank + 1) as f64;
        if rank == 1 {
            loss += b.sum(Kind::Double) * 10.0;
        }
        if rank == 2 {
            loss += d.sum(Kind::Double) * 100.0;
        }
        let running = start(engine, &[a, b, c, d], &[2, 1, 0], 1.0);
        engine.backward(&Tensor::try_from(loss).unwrap(), 1.0).unwrap();
        let Reduced { announced, arrived } = running.finish(true).unwrap();
        assert_eq!(announced, vec![vec![0.0]; 3]);
        let has_come = |row: &Vec<f64>| row.iter().map(|number| *number >= 0.0).collect::<Vec<_>>();
        assert_eq!(
            arrived.unwrap().iter().map(has_come).collect::<Vec<_>>(),
            [[true, false, false, false], [true, true, false, false], [true, false, false, true]]
        );
        assert_eq!(gradient(a), Some(vec![14.0, 14.0]));
        assert_eq!([gradient(b), gradient(c), gradient(d)], [Some(vec![20.0]), None, Some(vec![300.0])]);
    });
}

#[test]
fn a_process_that_fails_is_told_to_the_others() {
    let failed = in_group(2, |engine, rank| {
        let a = leaf(&[1.0]);
        let running = start(engine, &[&a], &[0], 1.0);
        if rank == 1 {
            drop(running);
            return true;
        }
        engine.backward(&Tensor::try_from(a.sum(Kind::Double)).unwrap(), 1.0).unwrap();
        let reduced: Result<Reduced> = running.finish(true);
        reduced.unwrap().arrived.is_none()
    });
    assert_eq!(failed, [true, true]);
}

/// Numbers of all magnitudes, whose sum depends on the order in f32 and on each rounding; some are not finite.
fn uneven(count: i64, salt: i64) -> tch::Tensor {
    let numbers = (0..count).map(|i| {
        let number = ((i * 7919 + salt * 104_729) % 20_011) as f64 / 997.0 - 10.0;
        match (i + salt) % 97 {
            0 => f64::INFINITY,
            1 => -0.0,
            2 => 1e-42,
            _ => number * 10f64.powi(((i + 5 * salt) % 9) as i32 - 4),
        }
    });
    tch::Tensor::from_slice(&numbers.collect::<Vec<_>>())
}

/// The bits of gradients and buffers that a group has reduced. Each process lacks some gradients, and one of weight 0 has infinite ones.
fn reduced_bits(engine: &TorchEngine, rank: usize, size: usize) -> Vec<Option<Vec<u64>>> {
    let shapes: [&[i64]; 6] = [&[7], &[3, 171], &[], &[0, 4], &[40, 41], &[1]];
    let kinds = [Kind::Float, Kind::Double, Kind::Half, Kind::BFloat16];
    let make = |index: usize, salt: usize| {
        let shape = shapes[index % shapes.len()];
        uneven(shape.iter().product(), (13 * index + salt) as i64).reshape(shape).to_kind(kinds[index % kinds.len()])
    };
    let mut parameters = Vec::new();
    for index in 0..12 {
        let parameter = make(index, 0).set_requires_grad(true);
        // In column-major order for one of the shapes.
        let gradient = make(index, 1 + rank);
        let gradient = if index == 7 { gradient.t_copy().contiguous().t_() } else { gradient };
        if (index + rank) % 5 != 3 {
            engine.set_grad(&shared(&[&parameter])[0], Some(&shared(&[&gradient])[0])).unwrap();
        }
        parameters.push(parameter);
    }
    let buffers: Vec<_> = (0..3).map(|index| make(index, 50 + rank)).collect();
    let weights = move |_: &[Vec<f64>]| {
        let gradients = (0..size).map(|n| if n == 1 { 0.0 } else { 1.0 / (n as f64 + 3.0) }).collect();
        Some(ReductionWeights { gradients, buffers: (0..size).map(|n| n as f64 / 7.0).collect() })
    };
    let reduction = GradientReduction {
        parameters: shared(&parameters.iter().collect::<Vec<_>>()),
        order: vec![11, 3, 5, 7, 0, 1, 2],
        buffers: shared(&buffers.iter().collect::<Vec<_>>()),
        announced: vec![0.0],
        weights: Box::new(weights),
    };
    let reduced = engine.process_group().unwrap().start_reduction(reduction).unwrap().finish(true).unwrap();
    assert!(reduced.arrived.is_some());
    let gradients = parameters.iter().map(tch::Tensor::grad).chain(buffers);
    // Conversion to f64 keeps the bits apart.
    let numbers = |tensor: tch::Tensor| Vec::<f64>::try_from(tensor.reshape([-1]).to_kind(Kind::Double)).unwrap();
    let bits = |tensor: tch::Tensor| numbers(tensor).into_iter().map(f64::to_bits).collect();
    gradients.map(|tensor| tensor.defined().then(|| bits(tensor))).collect()
}

#[test]
fn operations_on_a_device_have_the_bits_of_loops() {
    for size in 1..=3 {
        let loops = in_group_of(TorchEngine::new, size, |engine, rank| reduced_bits(engine, rank, size));
        let operations = in_group_of(with_host_devices, size, |engine, rank| reduced_bits(engine, rank, size));
        assert!(loops.iter().all(|bits| *bits == loops[0]), "{size} processes differ");
        assert!(loops == operations, "{size} processes: the bits differ");
    }
}
