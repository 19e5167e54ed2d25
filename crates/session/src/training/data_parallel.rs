//! Training by several processes, each on its part of the samples of a step. Each gets the gradients, losses and
//! measurements of all, so that the processes make the same step. `one_process` replaces this file in WebAssembly.

use std::slice;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::process_group::{GradientReduction, ProcessGroup, RunningReduction};
use crate::nn::module::Named;
use crate::training::agreement::{Agreement, COUNTS, WRITTEN};
use crate::training::common_tensors::{CommonModules, check_elements, digest, take_largest};
use crate::training::metrics::BatchMetrics;
use crate::training::passes::{Pass, Passes, Share};
use crate::training::same_objects::{Digest, Part, PartKind, check_same, different, digest_of_parts};
use crate::values::data::Data;
use crate::values::device::Device;

/// The processes that train the parameters of an optimizer.
pub(crate) struct DataParallel<E: Engine> {
    group: Arc<dyn ProcessGroup<E::Tensor>>,
    /// The modules whose parameters and buffers the processes have in common.
    modules: CommonModules<E>,
    /// The parameters in the order in which the gradients of the last step have come; `None` before the first. Each process has an equal order.
    last_order: Arc<Mutex<Option<Vec<usize>>>>,
    /// The number of the call of `distributed` that began it, on rank 0. Other optimizers have other numbers.
    number: u64,
    /// How often the processes have met in a step.
    meetings: Arc<AtomicU64>,
    /// Whether the program of this process has written to a parameter or a buffer since the last step.
    is_written: Arc<AtomicBool>,
    /// The state that this process has loaded since the last step, in words.
    loaded: Arc<Mutex<Option<String>>>,
}

/// The advice for tensors that differ after a program has written to them.
const WRITTEN_ADVICE: &str = "and the step is not made: load and write the same on each process, or call distributed again, which sends the ones of rank 0";

/// How many calls of `distributed` this process has made.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// A reduction of gradients that has begun.
pub(crate) struct StartedReduction<E: Engine> {
    parallel: DataParallel<E>,
    tensors: Vec<E::Tensor>,
    /// Buffers of whole numbers.
    counts: Vec<E::Tensor>,
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
            modules: self.modules.clone(),
            last_order: Arc::clone(&self.last_order),
            number: self.number,
            meetings: Arc::clone(&self.meetings),
            is_written: Arc::clone(&self.is_written),
            loaded: Arc::clone(&self.loaded),
        }
    }
}

impl<E: Engine> DataParallel<E> {
    /// Begins to train with the processes of the engine: gives each the parameters and buffers of process 0, of the optimizer and of the
    /// modules.
    ///
    /// # Errors
    /// - [`Code::Argument`] without a process group
    /// - [`Code::Parameter`] if processes have other parts. Nothing has changed then.
    pub(crate) fn begin(
        engine: &E,
        parts: &[Part],
        parameters: &[E::Tensor],
        modules: CommonModules<E>,
    ) -> Result<Self> {
        let Some(group) = engine.process_group() else {
            let message = "no process group: call initProcessGroup in each process first";
            return Err(Error::new(Code::Argument, message));
        };
        check_same(&*group, parts)?;
        let tensors = modules.tensors(engine, parameters);
        tensors.iter().try_for_each(|(_, tensor)| group.broadcast(slice::from_ref(tensor), 0))?;
        check_elements(engine, &*group, &tensors, "which has sent its own: do parameters share memory?")?;
        let begun = BEGUN.fetch_add(1, Ordering::Relaxed) + 1;
        let number = group.gather(&[begun as f64])?[0][0] as u64;
        let (last_order, meetings, is_written, loaded) = Default::default();
        Ok(Self { group, modules, last_order, number, meetings, is_written, loaded })
    }

    /// Whether this process has ever trained with others.
    pub(crate) fn has_begun() -> bool {
        BEGUN.load(Ordering::Relaxed) > 0
    }

    /// The number of the optimizer, which is the same on all processes.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The modules whose parameters and buffers the processes have in common.
    pub(crate) fn modules(&self) -> &CommonModules<E> {
        &self.modules
    }

    /// Whether this process has left the group.
    pub(crate) fn has_ended(&self) -> bool {
        self.group.has_ended()
    }

    /// How often the processes have met in a step.
    pub(crate) fn meetings(&self) -> u64 {
        self.meetings.load(Ordering::Relaxed)
    }

    /// The program has written to a parameter or a buffer: the next step compares them, since the processes may have written others.
    pub(crate) fn set_written(&self) {
        self.is_written.store(true, Ordering::Relaxed);
    }

    /// The optimizer has another state: the next step compares what the processes have loaded.
    pub(crate) fn set_loaded(&self, state: String) {
        *self.loaded() = Some(state);
    }

    fn loaded(&self) -> MutexGuard<'_, Option<String>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.group.broadcast(slice::from_ref(&tensor), 0)?;
        match engine.data(&tensor)? {
            Data::Long(order) => Ok(order.into_iter().map(|sample| sample as usize).collect()),
            _ => Err(Error::new(Code::Internal, "an order of samples that is not long")),
        }
    }

    /// Starts to replace the gradient of each parameter by the one of all samples, before the backward that computes the last of them.
    /// Buffers of floating point, such as running statistics, become the weighted mean. The processes must have `options` in common.
    pub(crate) fn start(
        &self,
        engine: &E,
        tensors: &[E::Tensor],
        pass: &Pass,
        mut options: Vec<Part>,
    ) -> Result<StartedReduction<E>> {
        self.meetings.fetch_add(1, Ordering::Relaxed);
        let loaded = self.loaded().clone().unwrap_or_else(|| "no loaded state".to_owned());
        options.extend([optimizer_text(self.number), loaded].map(|text| Part { kind: PartKind::Call, text }));
        let (mut buffers, mut counts) = (Vec::new(), Vec::new());
        for Named { tensor, .. } in self.modules.buffers(engine) {
            let list = if engine.dtype(&tensor)?.is_floating() { &mut buffers } else { &mut counts };
            list.push(tensor);
        }
        let mut counted = Digest::default();
        for tensor in &counts {
            counted.add(&digest(engine, tensor)?.bytes());
        }
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
        for tensor in parameters.iter().chain(&buffers).chain(&counts) {
            let on_gpu = engine.device(tensor)? != Device::Cpu;
            layout.add(format!("{:?} {:?} {on_gpu},", engine.dtype(tensor)?, engine.shape(tensor)?).as_bytes());
        }
        layout.add(format!("{order:?}").as_bytes());
        let mut announced = pass.numbers().to_vec();
        announced.extend(digest_of_parts(&options).numbers());
        announced.extend(layout.numbers());
        announced.extend(counted.numbers());
        announced.push(f64::from(u8::from(self.is_written.load(Ordering::Relaxed))));
        announced.extend((0..tensors.len()).map(|position| f64::from(u8::from(index_of(&position).is_none()))));
        let is_sum = matches!(pass, Pass::Computed(_, Share::Sum(_)));
        let weights = move |rows: &[Vec<f64>]| match Agreement::of(rows, is_sum) {
            Ok(Agreement::Reduce { weights, .. }) => Some(weights),
            _ => None,
        };
        let reduction = GradientReduction { parameters, order, buffers, announced, weights: Box::new(weights) };
        let running = self.group.start_reduction(reduction)?;
        let (parallel, tensors) = (self.clone(), tensors.to_vec());
        Ok(StartedReduction { parallel, tensors, counts, trained, options, is_sum, running })
    }

    fn last_order(&self) -> MutexGuard<'_, Option<Vec<usize>>> {
        self.last_order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the measurements of this process's parts of batches by the measurements of the whole batches, of which a step has `count`. A
    /// process whose loss is refused measures no later batch: none counts, as in one process.
    pub(crate) fn measure(&self, measured: &mut Vec<BatchMetrics>, count: usize, is_sum: bool) -> Result<()> {
        let mut numbers = vec![measured.len() as f64];
        numbers.extend(measured.iter().flat_map(BatchMetrics::numbers));
        numbers.resize(1 + 4 * count, 0.0);
        let rows = self.group.gather(&numbers)?;
        measured.truncate(rows.iter().map(|row| row[0] as usize).fold(count, usize::min));
        for (position, batch) in measured.iter_mut().enumerate() {
            let parts = rows.iter().map(|row| std::array::from_fn::<_, 4, _>(|i| row[1 + 4 * position + i]));
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
    /// - [`Code::Parameter`] if the processes have other options or other parameters. Each then has its own gradients, except where a program
    ///   has written other elements.
    pub(crate) fn finish(self, engine: &E, has_computed: bool) -> Result<Passes> {
        let Self { parallel, tensors, counts, trained, options, is_sum, running } = self;
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
        let rows = &reduced.announced;
        if rows.iter().any(|row| row[COUNTS] != rows[0][COUNTS]) {
            take_largest(engine, &*parallel.group, &counts)?;
        }
        if rows.iter().any(|row| row[WRITTEN] != 0.0) {
            let common = parallel.modules.tensors(engine, &tensors);
            check_elements(engine, &*parallel.group, &common, WRITTEN_ADVICE)?;
            parallel.is_written.store(false, Ordering::Relaxed);
        }
        parallel.loaded().take();
        let came = |row: &Vec<f64>| row.iter().filter(|number| **number >= 0.0).count();
        let most = (0..arrived.len()).rev().max_by_key(|rank| came(&arrived[*rank])).unwrap_or(0);
        let mut order: Vec<_> = (0..trained.len()).filter(|i| arrived.iter().any(|row| row[*i] >= 0.0)).collect();
        let number = |i: &usize| Some(arrived[most][*i]).filter(|number| *number >= 0.0).unwrap_or(f64::INFINITY);
        order.sort_by(|a, b| number(a).total_cmp(&number(b)));
        *parallel.last_order() = Some(order.into_iter().map(|i| trained[i]).collect());
        Ok(Passes::Computed(loss))
    }
}

/// The optimizer of a number, in words.
pub(crate) fn optimizer_text(number: u64) -> String {
    format!("the optimizer of call {number} of distributed")
}
