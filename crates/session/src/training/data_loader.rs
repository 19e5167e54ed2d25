//! The data loader of a model: inputs and targets, options, batches, and the position in an epoch.

use stepwell_optim::fallible::collected;
#[cfg(not(target_arch = "wasm32"))]
use stepwell_optim::fallible::filled;
use stepwell_optim::{
    Clip, Code, Error, Limit::*, NonFinite, OptionSet, OptionSpec, OptionValue, Result, Results, defaults, options,
    parse,
};

use crate::engine::Engine;
use crate::nn::loss::LossFunction;
use crate::random::Random;
use crate::training::metrics::{BatchMetrics, BatchReport, Metric, metrics_of};
use crate::training::step_options::{clip, gives_policy};
use crate::values::convert::{named_options, to_value};
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::value::Value;

options! {
    /// Options of training.
    pub(crate) struct TrainOptions {
        /// Samples of a batch.
        batchsize: i64 = 32, limit AtLeast(1.0), alias "batchSize";
        /// Draw a new order for each pass, from the generator of the session.
        shuffle: bool = false;
        /// Leave out a last batch with fewer samples.
        droplast: bool = false;
        /// Batches of a step. They count as one large batch; the last step of a pass may have fewer.
        accumulate: i64 = 1, limit AtLeast(1.0);
        /// Largest norm of all gradients as one vector. Excludes `clipvalue`.
        clipnorm: Option<f64> = None, limit Above(0.0);
        /// Largest element of a gradient. Excludes `clipnorm`.
        clipvalue: Option<f64> = None, limit Above(0.0);
        /// How a step treats gradients that are not finite. With a loss scale, which skips such steps, only `skip` can be given.
        nonfinite: NonFinite = NonFinite::Propagate;
        /// How a step treats a loss that is not finite.
        nonfiniteloss: NonFinite = NonFinite::Propagate;
    }
}

options! {
    /// Options of testing.
    pub(crate) struct TestOptions {
        /// Samples of a batch.
        batchsize: i64 = 100, limit AtLeast(1.0), alias "batchSize";
        /// Leave out a last batch with fewer samples.
        droplast: bool = false;
    }
}

impl TrainOptions {
    pub(crate) fn clip(&self) -> Result<Clip> {
        clip(self.clipnorm, self.clipvalue)
    }

    /// Fails for options that exclude each other.
    pub(crate) fn check(row: &[OptionValue]) -> Result<()> {
        Self::from_values(row)?.clip().map(drop)
    }
}

/// A dataset with the options for its batches.
pub(crate) struct DataLoader<E: Engine> {
    data: Option<Dataset<E>>,
    row: Vec<OptionValue>,
    pub(crate) metrics: Vec<Metric>,
    cursor: Option<EpochCursor>,
    /// The order of passes that draw none, if it is not the order of the data.
    shuffled: Option<Vec<usize>>,
    /// The measurements of the epoch that has begun; after its end, and until the next one has a batch, of the last epoch.
    measured: Vec<BatchMetrics>,
    /// A position that the data will have, if they have as many samples.
    pending: Option<EpochPosition>,
    /// True if the policy for gradients that are not finite was given and is not the default.
    pub(crate) is_policy_given: bool,
}

/// Where a data loader is in its data, without the data.
#[cfg_attr(not(target_arch = "wasm32"), derive(Clone))]
pub(crate) struct EpochPosition {
    /// The number of samples.
    pub(crate) count: usize,
    /// The samples of the epoch that has begun, in their order, and how many of them were used.
    pub(crate) epoch: Option<(Vec<usize>, usize)>,
    /// The order of epochs that draw none.
    pub(crate) shuffled: Option<Vec<usize>>,
    pub(crate) measured: Vec<BatchMetrics>,
}

/// Inputs and targets; a sample is a place along dimension 0 of both.
struct Dataset<E: Engine> {
    inputs: E::Tensor,
    targets: E::Tensor,
    count: usize,
}

/// Samples that are run together.
pub(crate) struct Batch<E: Engine> {
    pub(crate) inputs: E::Tensor,
    pub(crate) targets: E::Tensor,
}

/// The position in an epoch, and the order of its samples.
struct EpochCursor {
    order: Vec<usize>,
    next: usize,
}

impl<E: Engine> DataLoader<E> {
    pub(crate) fn new<O: OptionSet>() -> Self {
        let (row, metrics) = (defaults(O::SPECS), vec![Metric::Loss]);
        Self {
            data: None,
            row,
            metrics,
            cursor: None,
            shuffled: None,
            measured: Vec::new(),
            pending: None,
            is_policy_given: false,
        }
    }

    /// Sets the data, and ends an epoch that has begun.
    pub(crate) fn set_data(&mut self, engine: &E, inputs: E::Tensor, targets: E::Tensor) -> Result<()> {
        let (input_shape, target_shape) = (engine.shape(&inputs)?, engine.shape(&targets)?);
        let (Some(count), Some(targets_count)) = (input_shape.first(), target_shape.first()) else {
            return Err(Error::new(Code::Shape, "expected samples along dimension 0, given a single number"));
        };
        if count != targets_count {
            let message =
                format_args!("expected as many targets as inputs, given {count} inputs and {targets_count} targets");
            return Err(Error::new(Code::Shape, message));
        }
        self.data = Some(Dataset { inputs, targets, count: *count });
        self.cursor = None;
        self.shuffled = None;
        self.measured = Vec::new();
        if let Some(position) = self.pending.take().filter(|position| position.count == *count) {
            self.set_position(position);
        }
        Ok(())
    }

    /// The inputs and the targets.
    pub(crate) fn samples(&self) -> Result<[&E::Tensor; 2]> {
        self.data().map(|data| [&data.inputs, &data.targets])
    }

    /// The number of samples.
    pub(crate) fn count(&self) -> Result<usize> {
        self.data().map(|data| data.count)
    }

    /// Ends an epoch that has begun, and takes a new order of the samples, or the order of the data.
    pub(crate) fn reorder(&mut self, random: Option<&mut Random>) -> Result<()> {
        let count = self.data()?.count;
        self.shuffled = match random {
            Some(random) => Some(collected(random.permutation(count)?.into_iter().map(|i| i as usize))?),
            None => None,
        };
        self.cursor = None;
        Ok(())
    }

    /// Ends an epoch that has begun, and forgets its measurements.
    pub(crate) fn restart(&mut self) {
        self.cursor = None;
        self.measured = Vec::new();
    }

    /// Sets options. A failure changes nothing.
    pub(crate) fn set_options(
        &mut self,
        owner: &str,
        specs: &'static [OptionSpec],
        mut given: Vec<(String, Value)>,
        loss: &LossFunction,
        check: fn(&[OptionValue]) -> Result<()>,
    ) -> Result<()> {
        let mut metrics = self.metrics.clone();
        for (_, value) in given.extract_if(.., |(name, _)| name == "metrics") {
            metrics = match &value {
                Value::Array(list) if !list.is_empty() => list.iter().map(Metric::parse).values()?,
                one => vec![Metric::parse(one)?],
            };
        }
        if let Some(metric) = metrics.iter().find(|metric| metric.needs_classes() && !loss.takes_classes()) {
            let message = format_args!("{} needs a loss of classes, ce or nll, given {}", metric.name(), loss.name());
            return Err(Error::new(Code::OptionRange, message));
        }
        let is_policy_given = self.is_policy_given || gives_policy(&given);
        let row = parse(owner, specs, &self.row, &[], &named_options(given)?)?;
        check(&row)?;
        (self.row, self.metrics, self.is_policy_given) = (row, metrics, is_policy_given);
        Ok(())
    }

    pub(crate) fn options<O: OptionSet>(&self) -> Result<O> {
        O::from_values(&self.row)
    }

    /// The options and the metrics, to be shown.
    pub(crate) fn options_value(&self, specs: &'static [OptionSpec]) -> Value {
        let rows = specs.iter().zip(&self.row).map(|(spec, value)| (spec.name, to_value(value)));
        let metrics = Value::strings(self.metrics.iter().map(|metric| metric.name()));
        Value::object(rows.chain([("metrics", metrics)]))
    }

    fn data(&self) -> Result<&Dataset<E>> {
        self.data.as_ref().ok_or_else(|| Error::new(Code::Argument, "no data yet: give inputs and targets first"))
    }

    pub(crate) fn tensors(&self) -> impl Iterator<Item = E::Tensor> {
        self.data.iter().flat_map(|data| [data.inputs.clone(), data.targets.clone()])
    }

    /// The number of batches of an epoch.
    pub(crate) fn batches(&self, batchsize: usize, droplast: bool) -> Result<usize> {
        let count = self.data()?.count;
        Ok(if droplast { count / batchsize } else { count.div_ceil(batchsize) })
    }

    /// Begins an epoch, in a new order if `shuffle` draws one.
    pub(crate) fn begin(&mut self, shuffle: Option<&mut Random>) -> Result<()> {
        let count = self.data()?.count;
        let order = match shuffle {
            Some(random) => collected(random.permutation(count)?.into_iter().map(|i| i as usize))?,
            None => match &self.shuffled {
                Some(order) => collected(order.iter().copied())?,
                None => collected(0..count)?,
            },
        };
        self.cursor = Some(EpochCursor { order, next: 0 });
        Ok(())
    }

    /// Replaces the order of an epoch that has just begun by the one that several processes have agreed on.
    pub(crate) fn agree(&mut self, agreed: impl FnOnce(&[usize]) -> Result<Vec<usize>>) -> Result<()> {
        if let Some(cursor) = &mut self.cursor {
            cursor.order = agreed(&cursor.order)?;
        }
        Ok(())
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.cursor.is_some()
    }

    /// The samples of the next `batches` batches; none after the last. They stay the next until [`DataLoader::advance`].
    pub(crate) fn next(&self, batchsize: usize, droplast: bool, batches: usize) -> &[usize] {
        let rest = self.cursor.as_ref().map_or(&[][..], |cursor| &cursor.order[cursor.next..]);
        let whole = if droplast { rest.len() - rest.len() % batchsize } else { rest.len() };
        &rest[..whole.min(batchsize.saturating_mul(batches))]
    }

    /// The samples of one batch, on a device.
    pub(crate) fn batch(&self, engine: &E, samples: &[usize], device: Device) -> Result<Batch<E>> {
        let data = self.data()?;
        let inputs = engine.batch(&data.inputs, samples, device)?;
        Ok(Batch { inputs, targets: engine.batch(&data.targets, samples, device)? })
    }

    /// The targets of samples.
    pub(crate) fn targets(&self, engine: &E, samples: &[usize]) -> Result<Data> {
        engine.data(&engine.index_select(&self.data()?.targets, samples)?)
    }

    /// The position; `None` without data.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn position(&self) -> Option<EpochPosition> {
        let epoch = self.cursor.as_ref().map(|cursor| (cursor.order.clone(), cursor.next));
        let count = self.data.as_ref()?.count;
        Some(EpochPosition { count, epoch, shuffled: self.shuffled.clone(), measured: self.measured.clone() })
    }

    /// The position as the numbers of the command `position`; `None` without data.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn numbers(&self) -> Option<Vec<f64>> {
        let mut numbers = vec![self.data.as_ref()?.count as f64, -1.0, 0.0, -1.0];
        let mut add = |place: usize, order: &[usize]| {
            numbers[place] = order.len() as f64;
            order.iter().for_each(|sample| numbers.push(*sample as f64));
        };
        if let Some(cursor) = &self.cursor {
            add(1, &cursor.order);
        }
        if let Some(order) = &self.shuffled {
            add(3, order);
        }
        numbers[2] = self.cursor.as_ref().map_or(0, |cursor| cursor.next) as f64;
        self.measured.iter().for_each(|batch| numbers.extend(batch.numbers()));
        Some(numbers)
    }

    /// Fails unless a loader with these data can go to a position.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn check_position(&self, position: &EpochPosition) -> Result<()> {
        if let Some(data) = &self.data
            && data.count != position.count
        {
            let message = format!("expected a position in {} samples, given one in {}", data.count, position.count);
            return Err(Error::new(Code::Shape, message));
        }
        for order in position.epoch.iter().map(|(order, _)| order).chain(&position.shuffled) {
            let count = position.count;
            let mut seen = filled(order.len(), false)?;
            let is_new = |sample: &usize| seen.get_mut(*sample).is_some_and(|seen| !std::mem::replace(seen, true));
            if order.len() != count || !order.iter().all(is_new) {
                return Err(Error::new(Code::Format, format!("expected each of {count} samples once in an order")));
            }
        }
        Ok(())
    }

    /// Goes to a position that was checked, now or once it has the data.
    pub(crate) fn set_position(&mut self, position: EpochPosition) {
        if self.data.is_none() {
            self.pending = Some(position);
            return;
        }
        self.cursor = position.epoch.map(|(order, next)| EpochCursor { order, next });
        self.shuffled = position.shuffled;
        self.measured = position.measured;
    }

    /// Goes past that many samples, and adds their measurements.
    pub(crate) fn advance(&mut self, samples: usize, measured: Vec<BatchMetrics>) {
        if let Some(cursor) = &mut self.cursor {
            if cursor.next == 0 {
                self.measured = measured;
            } else {
                self.measured.extend(measured);
            }
            cursor.next += samples;
        }
    }

    /// The metrics of what is measured; null if that is nothing.
    pub(crate) fn metrics(&self) -> Value {
        if self.measured.is_empty() { Value::Null } else { metrics_of(&self.metrics, &self.measured) }
    }

    /// A report as a dictionary, of the last of so many batches of an epoch.
    pub(crate) fn report(&self, report: BatchReport, batches: usize) -> Value {
        report.value(&self.metrics, &self.measured, batches)
    }

    /// Ends the epoch.
    pub(crate) fn end(&mut self) {
        self.cursor = None;
    }
}
