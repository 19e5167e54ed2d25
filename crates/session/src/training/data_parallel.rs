//! Training by several processes, each on its part of the samples of a step. Each gets the gradients, losses and
//! measurements of all, so that the processes make the same step. `one_process` replaces this file in WebAssembly.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::process_group::{GradientReduction, ProcessGroup, RunningReduction};
use crate::training::agreement::Agreement;
use crate::training::metrics::BatchMetrics;
use crate::training::passes::{Pass, Passes, Share};
use crate::training::same_objects::{Digest, Part, PartKind, check_same, different, digest_of_parts};
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::element_bytes::write_elements;

/// The processes that train the parameters of an optimizer.
pub(crate) struct DataParallel<E: Engine> {
    group: Arc<dyn ProcessGroup<E::Tensor>>,
    /// The parameters in the order in which the gradients of the last step have come; `None` before the first. Each process has an equal order.
    last_order: Arc<Mutex<Option<Vec<usize>>>>,
    /// The number of the call of `distributed` that began it, on rank 0. Other optimizers have other numbers.
    number: u64,
    /// How often the processes have met in a step.
    meetings: Arc<AtomicU64>,
    /// Whether this process has loaded a checkpoint since the last step.
    is_loaded: Arc<AtomicBool>,
}

/// How many calls of `distributed` this process has made.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// A reduction of gradients that has begun.
pub(crate) struct StartedReduction<E: Engine> {
    parallel: DataParallel<E>,
    tensors: Vec<E::Tensor>,
    /// The positions of the tensors that are not frozen.
    trained: Vec<usize>,
    /// The options that the processes must have in common.
    options: Vec<Part>,
    is_sum: bool,
    running: Box<dyn RunningReduction>,
}

impl<E: Engine> Clone for DataParallel<E> {
    fn clone(&self) -> Self {
        Self {
            group: Arc::clone(&self.group),
            last_order: Arc::clone(&self.last_order),
            number: self.number,
            meetings: Arc::clone(&self.meetings),
            is_loaded: Arc::clone(&self.is_loaded),
        }
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
        let begun = BEGUN.fetch_add(1, Ordering::Relaxed) + 1;
        let number = group.gather(&[begun as f64])?[0][0] as u64;
        Ok(Self { group, last_order: Arc::default(), number, meetings: Arc::default(), is_loaded: Arc::default() })
    }

    /// Whether this process has left the group.
    pub(crate) fn has_ended(&self) -> bool {
        self.group.has_ended()
    }

    /// How often the processes have met in a step.
    pub(crate) fn meetings(&self) -> u64 {
        self.meetings.load(Ordering::Relaxed)
    }

    /// A checkpoint was loaded: the next step compares the parameters, since the processes may have loaded others.
    pub(crate) fn set_loaded(&self) {
        self.is_loaded.store(true, Ordering::Relaxed);
    }

    /// The part of consecutive samples that this process has. The lengths of the parts differ by at most 1.
    pub(crate) fn part<'a>(&self, samples: &'a [usize]) -> &'a [usize] {
        let (rank, size, count) = (self.group.rank(), self.group.size(), samples.len());
        &samples[count * rank / size..count * (rank + 1) / size]
    }

    /// The order of samples of process 0.
    ///
    /// # Errors
    /// [`Code::Shape`] unless all have as many samples.
    pub(crate) fn order(&self, engine: &E, order: &[usize]) -> Result<Vec<usize>> {
        let counts = self.group.gather(&[order.len() as f64])?;
        if let Some(rank) = different(&counts) {
            let (others, first) = (counts[rank][0], counts[0][0]);
            let message = format!(
                "expected as many samples on each process, since each takes its part of a batch, given {first} on rank 0 and {others} on rank {rank}"
            );
            return Err(Error::new(Code::Shape, message));
        }
        let numbers = Data::Long(order.iter().map(|sample| *sample as i64).collect());
        let tensor = engine.tensor(&numbers, &[order.len()], Device::Cpu)?;
        self.group.broadcast(&tensor, 0)?;
        match engine.data(&tensor)? {
            Data::Long(order) => Ok(order.into_iter().map(|sample| sample as usize).collect()),
            _ => Err(Error::new(Code::Internal, "an order of samples that is not long")),
        }
    }

    /// Starts to replace the gradient of each parameter by the one of all samples, before the backward that computes the last of them.
    /// `buffers` of floating point, such as running statistics, become the weighted mean. The processes must have `options` in common.
    pub(crate) fn start(
        &self,
        engine: &E,
        tensors: &[E::Tensor],
        buffers: Vec<E::Tensor>,
        pass: &Pass,
        mut options: Vec<Part>,
    ) -> Result<StartedReduction<E>> {
        self.meetings.fetch_add(1, Ordering::Relaxed);
        let mut add = |text| options.push(Part { kind: PartKind::Call, text });
        add(format!("the optimizer of call {} of distributed", self.number));
        add(if self.is_loaded.load(Ordering::Relaxed) {
            let mut all = Digest::default();
            for tensor in tensors.iter().chain(&buffers) {
                all.add(&digest(engine, tensor)?.bytes());
            }
            format!("loaded parameters of digest {}", all.text())
        } else {
            "no loaded parameters".to_owned()
        });
        let trained: Vec<_> = (0..tensors.len()).filter(|i| engine.requires_grad(&tensors[*i])).collect();
        let index_of = |position: &usize| trained.binary_search(position).ok();
        let order: Vec<_> = match (pass, &*self.last_order()) {
            (Pass::Refused(_) | Pass::Failed, _) => Vec::new(),
            (_, Some(order)) => order.iter().filter_map(index_of).collect(),
            // A backward begins with the last layers.
            (_, None) => (0..trained.len()).rev().collect(),
        };
        let parameters: Vec<_> = trained.iter().map(|position| tensors[*position].clone()).collect();
        let mut layout = Digest::default();
        for tensor in parameters.iter().chain(&buffers) {
            let on_gpu = engine.device(tensor)? != Device::Cpu;
            layout.add(format!("{:?} {:?} {on_gpu},", engine.dtype(tensor)?, engine.shape(tensor)?).as_bytes());
        }
        layout.add(format!("{order:?}").as_bytes());
        let mut announced = pass.numbers().to_vec();
        announced.extend(digest_of_parts(&options).numbers());
        announced.extend(layout.numbers());
        announced.extend((0..tensors.len()).map(|position| f64::from(u8::from(index_of(&position).is_none()))));
        let is_sum = matches!(pass, Pass::Computed(_, Share::Sum(_)));
        let weights = move |rows: &[Vec<f64>]| match Agreement::of(rows, is_sum) {
            Ok(Agreement::Reduce { weights, .. }) => Some(weights),
            _ => None,
        };
        let reduction = GradientReduction { parameters, order, buffers, announced, weights: Box::new(weights) };
        let running = self.group.start_reduction(reduction)?;
        Ok(StartedReduction { parallel: self.clone(), tensors: tensors.to_vec(), trained, options, is_sum, running })
    }

    fn last_order(&self) -> MutexGuard<'_, Option<Vec<usize>>> {
        self.last_order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the measurements of this process's parts of batches by the measurements of the whole batches.
    pub(crate) fn measure(&self, measured: &mut [BatchMetrics], is_sum: bool) -> Result<()> {
        let numbers: Vec<f64> = measured.iter().flat_map(BatchMetrics::numbers).collect();
        let rows = self.group.gather(&numbers)?;
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

impl<E: Engine> StartedReduction<E> {
    /// Waits for the end. `has_computed` says that the gradients of this process are there. A gradient that a process lacks counts as zeros
    /// there, and is absent afterwards only if all lack it.
    ///
    /// # Errors
    /// - [`Code::Distributed`] if the pass of another process has failed. All processes then have no gradients.
    /// - [`Code::Parameter`] if the processes have other options or other parameters. Each then has its own gradients.
    pub(crate) fn finish(self, engine: &E, has_computed: bool) -> Result<Passes> {
        let Self { parallel, tensors, trained, options, is_sum, running } = self;
        let reduced = running.finish(has_computed)?;
        let agreement = Agreement::of(&reduced.announced, is_sum);
        let (loss, arrived) = match (agreement, reduced.arrived) {
            (Ok(Agreement::OtherOptions), _) => {
                check_same(&*parallel.group, &options)?;
                return Err(Error::new(Code::Internal, "equal options of different digests"));
            }
            (Ok(Agreement::Refused(loss)), _) => return Ok(Passes::Refused(loss)),
            (Ok(Agreement::Reduce { loss, .. }), Some(arrived)) => (loss, arrived),
            (Err(error), _) if error.code() == Code::Parameter => return Err(error),
            (agreement, _) => {
                for tensor in &tensors {
                    engine.set_grad(tensor, None)?;
                }
                return Err(agreement.err().unwrap_or_else(|| {
                    Error::new(Code::Distributed, "a process has failed in the backward of this step, and says why")
                }));
            }
        };
        parallel.is_loaded.store(false, Ordering::Relaxed);
        let came = |row: &Vec<f64>| row.iter().filter(|number| **number >= 0.0).count();
        let most = (0..arrived.len()).rev().max_by_key(|rank| came(&arrived[*rank])).unwrap_or(0);
        let mut order: Vec<_> = (0..trained.len()).filter(|i| arrived.iter().any(|row| row[*i] >= 0.0)).collect();
        let number = |i: &usize| Some(arrived[most][*i]).filter(|number| *number >= 0.0).unwrap_or(f64::INFINITY);
        order.sort_by(|a, b| number(a).total_cmp(&number(b)));
        *parallel.last_order() = Some(order.into_iter().map(|i| trained[i]).collect());
        Ok(Passes::Computed(loss))
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
