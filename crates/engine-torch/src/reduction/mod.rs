//! The reduction of gradients by several processes, on a thread of its own, while a backward computes them.
//!
//! The thread exchanges what the processes announce, and then one bucket after the other, as soon as the gradients of one have arrived.
//! After the backward the processes tell each other which gradients they have, and the others follow. Gradients of devices are among those.

mod arrivals;
mod bucket;
mod exchange;
pub(crate) mod numbers;
mod stages;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

use stepwell_distributed::{Backend, ProcessGroup, Waiting};
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{GradientReduction, Reduced, RunningReduction};

use self::arrivals::{Arrival, Arrivals};
use self::bucket::{Bucket, Layout, Place, Received, cut};
use self::exchange::{Exchange, Exchanged};
use self::numbers::{ABSENT, gather, lock};
use crate::error::from_tch;
use crate::shim::{self, TensorRef};
use crate::tensor::{Tensor, kind};

/// A reduction that has begun.
pub(crate) struct TorchReduction {
    group: Arc<Mutex<ProcessGroup>>,
    parameters: Vec<Tensor>,
    buffers: Vec<Tensor>,
    /// Whether tensors on the CPU count as tensors of a device, for tests.
    has_host_devices: bool,
    /// The gradients that the thread knows of.
    told: Arc<Vec<AtomicBool>>,
    /// `None` once it has ended.
    running: Option<Running>,
}

struct Running {
    arrivals: Arrivals,
    sender: Sender<Arrival>,
    exchange: Arc<Mutex<Option<Exchange>>>,
    /// `None` if the system has no more threads.
    thread: Option<JoinHandle<Result<Exchanged>>>,
}

impl TorchReduction {
    pub(crate) fn start(
        group: &Arc<Mutex<ProcessGroup>>,
        reduction: GradientReduction<Tensor>,
        has_host_devices: bool,
    ) -> Result<Self> {
        let GradientReduction { parameters, order, buffers, announced, weights } = reduction;
        let (mut sent, mut layouts) = (Vec::with_capacity(order.len()), Vec::with_capacity(order.len()));
        for position in order {
            let layout = layout(&parameters[position], has_host_devices)?;
            // The thread would wait for the device, which computes the backward.
            if layout.0.has_loops {
                sent.push(position);
                layouts.push(layout);
            }
        }
        let size = lock(group).size();
        let mut buckets = Vec::new();
        for range in cut(&layouts) {
            buckets.push((Bucket::new(&layouts[range.clone()], size)?, sent[range].to_vec()));
        }
        let (sender, receiver) = channel();
        let told: Arc<Vec<_>> = Arc::new(parameters.iter().map(|_| AtomicBool::new(false)).collect());
        let arrivals = {
            let (sender, told) = (sender.clone(), Arc::clone(&told));
            Arrivals::watch(
                &parameters,
                Box::new(move |position, gradient| {
                    told[position].store(true, Ordering::Relaxed);
                    // Unless the exchange has failed, which the end of the reduction tells.
                    let _ = sender.send((position, gradient));
                }),
            )?
        };
        let group = Arc::clone(group);
        let exchange =
            Exchange { group: Arc::clone(&group), announced, weights, buckets, receiver, parameters: parameters.len() };
        let exchange = Arc::new(Mutex::new(Some(exchange)));
        let thread = {
            let exchange = Arc::clone(&exchange);
            Builder::new().name("stepwell-gradients".to_owned()).spawn(move || exchange::run(&exchange)).ok()
        };
        let running = Some(Running { arrivals, sender, exchange, thread });
        Ok(Self { group, parameters, buffers, has_host_devices, told, running })
    }

    /// The gradients of this process become the reduced ones, unless a process has failed.
    fn end(&mut self, has_computed: bool) -> Result<Reduced> {
        let Some(running) = self.running.take() else {
            return Err(Error::new(Code::Internal, "a reduction that has ended"));
        };
        let Running { arrivals, sender, exchange, thread } = running;
        drop(arrivals);
        // In the order of a backward, as far as it is known: the last parameters come first.
        for position in (0..self.parameters.len()).rev().filter(|_| has_computed) {
            if !self.told[position].load(Ordering::Relaxed)
                && let Some(gradient) = shim::grad(self.parameters[position].tensor_ref())?
            {
                let _ = sender.send((position, gradient));
            }
        }
        drop(sender);
        let exchanged = {
            let _waiting = Waiting::begin();
            match thread {
                Some(thread) => {
                    thread.join().unwrap_or_else(|_| Err(Error::new(Code::Internal, "a panic in a reduction")))
                }
                None => exchange::run(&exchange),
            }?
        };
        let Exchanged { announced, weights, buckets, mut arrived, written } = exchanged;
        let Some(weights) = weights else { return Ok(Reduced { announced, arrived: None }) };
        let group = lock(&self.group);
        let size = group.size();
        arrived.insert(0, f64::from(u8::from(has_computed)));
        let mut rows = gather(size, &arrived, |to, from| group.agreed().all_gather(to, from))?;
        if rows.iter().any(|row| row[0] == 0.0) {
            return Ok(Reduced { announced, arrived: None });
        }
        for row in &mut rows {
            row.remove(0);
        }
        let exists = |position: &usize| rows.iter().any(|row| row[*position] != ABSENT);
        let mut is_late = vec![true; self.parameters.len()];
        buckets.iter().flat_map(|(_, members)| members).for_each(|position| is_late[*position] = false);
        let late: Vec<_> = (0..self.parameters.len()).filter(|i| exists(i) && is_late[*i]).collect();
        for (bucket, members) in &buckets {
            for (index, position) in members.iter().enumerate().filter(|(_, position)| exists(position)) {
                if !written[*position] {
                    self.write(*position, &bucket.tensor(index)?)?;
                }
            }
        }
        drop(buckets);
        let gradients = late.iter().map(|position| shim::grad(self.parameters[*position].tensor_ref()));
        let gradients = gradients.collect::<Result<Vec<_>>>()?;
        let layout = |tensor| layout(tensor, self.has_host_devices);
        let layouts = late.iter().map(|position| layout(&self.parameters[*position])).collect::<Result<Vec<_>>>()?;
        let gradients: Vec<_> = gradients.iter().map(Option::as_ref).collect();
        sum(group.agreed(), &layouts, &gradients, &weights.gradients, |i, sum| self.write(late[i], sum))?;
        if !weights.buffers.is_empty() {
            let layouts = self.buffers.iter().map(layout).collect::<Result<Vec<_>>>()?;
            let buffers: Vec<_> = self.buffers.iter().map(|buffer| Some(buffer.as_ref())).collect();
            sum(group.agreed(), &layouts, &buffers, &weights.buffers, |i, mean| {
                self.buffers[i].writer().f_copy_(mean).map_err(from_tch)
            })?;
        }
        shim::elements_written();
        Ok(Reduced { announced, arrived: Some(rows) })
    }

    /// Sets the gradient of a parameter.
    fn write(&self, position: usize, sum: &tch::Tensor) -> Result<()> {
        let parameter = self.parameters[position].tensor_ref();
        if let Some(mut gradient) = shim::grad(parameter)? {
            return gradient.f_copy_(sum).map_err(from_tch);
        }
        let mut gradient = sum.f_empty_like().map_err(from_tch)?;
        gradient.f_copy_(sum).map_err(from_tch)?;
        shim::set_grad(parameter, Some(TensorRef::from(&gradient)))
    }
}

impl RunningReduction for TorchReduction {
    fn finish(mut self: Box<Self>, has_computed: bool) -> Result<Reduced> {
        let _guard = tch::no_grad_guard();
        self.end(has_computed)
    }
}

impl Drop for TorchReduction {
    fn drop(&mut self) {
        if self.running.is_some() {
            // The other processes wait for this one. The caller has an earlier error.
            let _guard = tch::no_grad_guard();
            let _ = self.end(false);
        }
    }
}

/// Sums tensors of floating point over the processes, and calls `write` with the position of each and its sum. One that is absent
/// counts as zeros.
fn sum(
    group: &Backend,
    layouts: &[Layout],
    tensors: &[Option<&tch::Tensor>],
    weights: &[f64],
    mut write: impl FnMut(usize, &tch::Tensor) -> Result<()>,
) -> Result<()> {
    let mut received = Received::default();
    for range in cut(layouts) {
        let bucket = Bucket::new(&layouts[range.clone()], group.size())?;
        for (index, position) in range.clone().enumerate() {
            bucket.fill(index, tensors[position])?;
        }
        bucket.reduce(group, &mut received, weights)?;
        for (index, position) in range.enumerate() {
            write(position, &bucket.tensor(index)?)?;
        }
    }
    Ok(())
}

/// The place and the sizes of a tensor.
fn layout(tensor: &Tensor, has_host_devices: bool) -> Result<Layout> {
    let (dense, kind) = (tensor.as_ref(), kind(tensor.dtype()?));
    let device = dense.device();
    Ok((Place { kind, device, has_loops: device == tch::Device::Cpu && !has_host_devices }, dense.size()))
}
