//! Training by several processes, each on its part of the samples of a step. Each gets the gradients, losses and
//! measurements of all, so that the processes make the same step. `one_process` replaces this file in WebAssembly.

use std::sync::Arc;

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::process_group::ProcessGroup;
use crate::training::metrics::BatchMetrics;
use crate::training::passes::{Pass, Passes, Share};
use crate::training::same_objects::{Digest, Part, check_same, different};
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::element_bytes::write_elements;

/// The gradient of a parameter on a process, for the others. One that is frozen may have kept a gradient, which no step uses.
const ABSENT: f64 = 0.0;
const PRESENT: f64 = 1.0;
const FROZEN: f64 = 2.0;

/// The processes that train the parameters of an optimizer.
pub(crate) struct DataParallel<E: Engine>(Arc<dyn ProcessGroup<E::Tensor>>);

impl<E: Engine> Clone for DataParallel<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E: Engine> DataParallel<E> {
    /// Begins to train with the processes of the engine: gives each the parameters and buffers of process 0.
    ///
    /// # Errors
    /// - [`Code::Argument`] without a process group
    /// - [`Code::Parameter`] if processes have other parts. Nothing has changed then.
    pub(crate) fn begin(engine: &E, parts: &[Part], tensors: &[(String, E::Tensor)]) -> Result<Self> {
        let Some(group) = engine.process_group() else {
            let message = "no process group: call initProcessGroup in each process first";
            return Err(Error::new(Code::Argument, message));
        };
        check_same(&*group, parts)?;
        let mut digests = Vec::with_capacity(2 * tensors.len());
        for (_, tensor) in tensors {
            group.broadcast(tensor, 0)?;
            digests.extend(digest(engine, tensor)?.numbers());
        }
        let rows = group.gather(&digests)?;
        if let Some(rank) = different(&rows) {
            let differs = |i: &usize| rows[rank][2 * i..][..2] != rows[0][2 * i..][..2];
            let name = (0..tensors.len()).find(differs).map_or("", |i| &tensors[i].0);
            let message = format!(
                "`{name}` has other elements on rank {rank} than on rank 0, which has sent its own: do parameters share memory?"
            );
            return Err(Error::new(Code::Parameter, message));
        }
        Ok(Self(group))
    }

    /// The part of consecutive samples that this process has. The lengths of the parts differ by at most 1.
    pub(crate) fn part<'a>(&self, samples: &'a [usize]) -> &'a [usize] {
        let (rank, size, count) = (self.0.rank(), self.0.size(), samples.len());
        &samples[count * rank / size..count * (rank + 1) / size]
    }

    /// The order of samples of process 0.
    ///
    /// # Errors
    /// [`Code::Shape`] unless all have as many samples.
    pub(crate) fn order(&self, engine: &E, order: &[usize]) -> Result<Vec<usize>> {
        let counts = self.0.gather(&[order.len() as f64])?;
        if let Some(rank) = different(&counts) {
            let (others, first) = (counts[rank][0], counts[0][0]);
            let message = format!(
                "expected as many samples on each process, since each takes its part of a batch, given {first} on rank 0 and {others} on rank {rank}"
            );
            return Err(Error::new(Code::Shape, message));
        }
        let numbers = Data::Long(order.iter().map(|sample| *sample as i64).collect());
        let tensor = engine.tensor(&numbers, &[order.len()], Device::Cpu)?;
        self.0.broadcast(&tensor, 0)?;
        match engine.data(&tensor)? {
            Data::Long(order) => Ok(order.into_iter().map(|sample| sample as usize).collect()),
            _ => Err(Error::new(Code::Internal, "an order of samples that is not long")),
        }
    }

    /// Replaces the gradient of each parameter by the one of all samples. A gradient that a process lacks counts as zeros there, and is
    /// absent afterwards only if all lack it. `buffers` of floating point, such as running statistics, become the weighted mean.
    ///
    /// # Errors
    /// [`Code::Distributed`] if the pass of another process has failed. All processes then have no gradients.
    pub(crate) fn reduce(
        &self,
        engine: &E,
        tensors: &[E::Tensor],
        buffers: Vec<E::Tensor>,
        pass: &Pass,
    ) -> Result<Passes> {
        let gradients: Vec<_> = tensors.iter().map(|tensor| engine.grad(tensor)).collect();
        let flags = tensors.iter().zip(&gradients).map(|(tensor, gradient)| match gradient {
            _ if !engine.requires_grad(tensor) => FROZEN,
            Some(_) => PRESENT,
            None => ABSENT,
        });
        let rows = self.0.gather(&pass.numbers().into_iter().chain(flags).collect::<Vec<_>>())?;
        if let Some(rank) = rows.iter().position(|row| row[0] == Pass::FAILED) {
            for tensor in tensors {
                engine.set_grad(tensor, None)?;
            }
            return Err(Error::new(Code::Distributed, format!("rank {rank} has failed in this step, and says why")));
        }
        if let Some(row) = rows.iter().find(|row| row[0] == Pass::REFUSED) {
            return Ok(Passes::Refused(row[1]));
        }
        for position in 3..rows[0].len() {
            let is_frozen = |row: &Vec<f64>| row[position] == FROZEN;
            if let Some(rank) = rows.iter().position(|row| is_frozen(row) != is_frozen(&rows[0])) {
                let message = format!(
                    "parameter {} is frozen on rank 0 or on rank {rank}, and not on both: freeze the same parameters on each process",
                    position - 3
                );
                return Err(Error::new(Code::Parameter, message));
            }
        }
        let is_sum = matches!(pass, Pass::Computed(_, Share::Sum(_)));
        let total: f64 = rows.iter().map(|row| row[2]).sum();
        let divisor = if is_sum || total == 0.0 { 1.0 } else { total };
        let weights: Vec<f64> = rows.iter().map(|row| row[2] / divisor).collect();
        let loss = rows.iter().zip(&weights).filter(|(_, weight)| **weight != 0.0);
        let loss = loss.map(|(row, weight)| row[1] * weight).sum();
        let mut reduced = Vec::new();
        for (position, (tensor, gradient)) in tensors.iter().zip(gradients).enumerate() {
            if rows.iter().all(|row| row[position + 3] != PRESENT) {
                continue;
            }
            reduced.push(match gradient {
                Some(gradient) => gradient,
                None => {
                    let zero = Data::Long(vec![0]).cast(engine.dtype(tensor)?)?;
                    let zeros = engine.full(&zero, &engine.shape(tensor)?, engine.device(tensor)?)?;
                    engine.set_grad(tensor, Some(&zeros))?;
                    zeros
                }
            });
        }
        self.0.weighted_sum(&reduced, &weights)?;
        if !buffers.is_empty() && total != 0.0 {
            let means: Vec<f64> = rows.iter().map(|row| row[2] / total).collect();
            self.0.weighted_sum(&buffers, &means)?;
        }
        Ok(Passes::Computed(loss))
    }

    /// Replaces the measurements of this process's parts of batches by the measurements of the whole batches.
    pub(crate) fn measure(&self, measured: &mut [BatchMetrics], is_sum: bool) -> Result<()> {
        let numbers: Vec<f64> = measured.iter().flat_map(BatchMetrics::numbers).collect();
        let rows = self.0.gather(&numbers)?;
        for (position, batch) in measured.iter_mut().enumerate() {
            let parts = rows.iter().map(|row| std::array::from_fn::<_, 4, _>(|i| row[4 * position + i]));
            let (mut sum, mut numbers) = (0.0, [0.0; 4]);
            for part in parts.filter(|part| part[1] > 0.0) {
                sum += part[0] * if is_sum { 1.0 } else { part[1] };
                (1..4).for_each(|i| numbers[i] += part[i]);
            }
            if is_sum {
                numbers[1] = 1.0;
            }
            numbers[0] = if numbers[1] > 0.0 { sum / numbers[1] } else { 0.0 };
            *batch = BatchMetrics::from_numbers(numbers);
        }
        Ok(())
    }
}

/// A digest of the elements of a tensor.
fn digest<E: Engine>(engine: &E, tensor: &E::Tensor) -> Result<Digest> {
    let mut digest = Digest::default();
    let is_read = engine.with_bytes(tensor, &mut |bytes| {
        digest.add(bytes);
        Ok(())
    })?;
    if !is_read {
        let unwritten = |error: std::io::Error| Error::new(Code::Internal, error.to_string());
        write_elements(&mut digest, &engine.data(tensor)?).map_err(unwritten)?;
    }
    Ok(digest)
}
