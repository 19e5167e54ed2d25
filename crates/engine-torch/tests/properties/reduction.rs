//! Gradients that several processes reduce while a backward computes them. Here each process is a thread with an engine of its own.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "clippy exempts tests, but not their helpers")]

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use stepwell_engine_torch::{Tensor, TorchEngine};
use stepwell_optim::Result;
use stepwell_session::{Engine, GradientReduction, GroupSettings, Reduced, ReductionWeights, RunningReduction};
use tch::{Device, Kind};

/// Runs a function in each process of a group, with its rank.
fn in_group<R: Send>(size: usize, run: impl Fn(&TorchEngine, usize) -> R + Sync) -> Vec<R> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    thread::scope(|scope| {
        let run = &run;
        let ranks = (0..size).map(|rank| {
            scope.spawn(move || {
                let engine = TorchEngine::new();
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
