//! A model: a module, a loss and an optimizer, with the samples that they learn from.

use std::cell::Cell;

use stepwell_optim::fallible::with_capacity;
use stepwell_optim::{Clip, Code, Error, NonFinite, Outcome, Result, Shared, SharedCell, count};

use crate::engine::Engine;
use crate::nn::buffer_snapshot::BufferSnapshot;
use crate::nn::context::ForwardContext;
use crate::nn::host::FunctionNumber;
use crate::nn::loss::LossFunction;
use crate::nn::module::Module;
use crate::training::bound_optimizer::{BoundOptimizer, scaled_backward};
use crate::training::clip::clip_gradients;
use crate::training::data_loader::{Batch, DataLoader, TestOptions, TrainOptions};
use crate::training::data_parallel::StartedReduction;
use crate::training::engine_access::EngineAccess;
#[cfg(not(target_family = "wasm"))]
use crate::training::failed_calls::tell_failure;
use crate::training::failed_calls::told;
use crate::training::lbfgs_step::minimize;
use crate::training::metrics::{BatchMetrics, BatchReport};
use crate::training::non_finite::{FiniteCheck, non_finite_loss};
use crate::training::passes::{Pass, Passes, Share};
use crate::training::step_call::StepCall;
#[cfg(not(target_family = "wasm"))]
use crate::training::step_call::TrainCall;
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::dtype::Dtype;

/// A module with its loss, its optimizer and its data. Other handles can share the module and the optimizer.
pub(crate) struct Model<E: Engine> {
    pub(crate) module: Shared<Module<E>>,
    pub(crate) loss: LossFunction,
    pub(crate) optimizer: Shared<SharedCell<BoundOptimizer<E>>>,
    pub(crate) train: DataLoader<E>,
    pub(crate) test: DataLoader<E>,
    /// A function of JavaScript in the place of the loss, which is then not used but for its reduction, a mean.
    pub(crate) own_loss: Option<FunctionNumber>,
    /// True in the place of a model that is being run.
    is_running: bool,
}

impl<E: Engine> Model<E> {
    pub(crate) fn new(
        module: Shared<Module<E>>,
        loss: LossFunction,
        optimizer: Shared<SharedCell<BoundOptimizer<E>>>,
    ) -> Result<Self> {
        if !loss.is_scalar() {
            let message = "a model needs a loss that reduces to one number: reduce mean or sum, given none";
            return Err(Error::new(Code::Argument, message));
        }
        if !loss.inputs().contains(&2) {
            let (name, count) = (loss.name(), loss.inputs().start().to_string());
            let message = format_args!(
                "a model needs a loss of an output and a target, given {name}, which takes {count} tensors"
            );
            return Err(Error::new(Code::Argument, message));
        }
        let (train, test) = (DataLoader::new::<TrainOptions>(), DataLoader::new::<TestOptions>());
        Ok(Self { module, loss, optimizer, train, test, own_loss: None, is_running: false })
    }

    /// The place of a model while it is being run, with its parts and without its data.
    pub(crate) fn placeholder(&self) -> Self {
        let (train, test) = (DataLoader::new::<TrainOptions>(), DataLoader::new::<TestOptions>());
        let (module, optimizer) = (Shared::clone(&self.module), Shared::clone(&self.optimizer));
        Self { module, loss: self.loss.clone(), optimizer, train, test, own_loss: self.own_loss, is_running: true }
    }

    /// Fails while the model is being run.
    pub(crate) fn check_idle(&self) -> Result<()> {
        if !self.is_running {
            return Ok(());
        }
        Err(Error::new(
            Code::Busy,
            "the model is running: a function that it calls can use neither its data nor run it",
        ))
    }

    /// The tensors that samples are taken from.
    pub(crate) fn samples(&self) -> Vec<E::Tensor> {
        self.train.tensors().chain(self.test.tensors()).collect()
    }

    /// Trains or tests on all batches, each once, from the first on, until it is stopped. `is_stopped` is called before each batch,
    /// with the report of the one before.
    pub(crate) fn run(
        &mut self,
        context: &mut ForwardContext<'_, E>,
        mut is_stopped: impl FnMut(&Self, Option<BatchReport>) -> Result<bool>,
    ) -> Result<()> {
        let training = context.training;
        if self.batches(training)? == 0 {
            return Err(Error::new(Code::Shape, "expected at least one batch, given too few samples for one"));
        }
        self.loader_mut(training).end();
        let mut last = None;
        while !is_stopped(self, last)? {
            last = self.batch(context)?;
            if last.is_none() {
                return Ok(());
            }
        }
        #[cfg(not(target_family = "wasm"))]
        if training && self.has_batch(training)? {
            tell_failure(context.engine, &self.optimizer);
        }
        Ok(())
    }

    /// Whether a pass that has begun has one more batch, or whether none has begun.
    #[cfg(not(target_family = "wasm"))]
    fn has_batch(&self, training: bool) -> Result<bool> {
        let TrainOptions { batchsize, droplast, .. } = self.options(training)?;
        let loader = self.loader(training);
        Ok(!loader.has_begun() || !loader.next(count(batchsize), droplast, 1).is_empty())
    }

    /// The device of batches: the one of the module.
    fn device(&self, engine: &E) -> Result<Device> {
        Ok(self.module.device(engine)?.unwrap_or(Device::Cpu))
    }

    /// The data for training or for testing.
    pub(crate) fn loader(&self, training: bool) -> &DataLoader<E> {
        if training { &self.train } else { &self.test }
    }

    /// See [`Model::loader`].
    pub(crate) fn loader_mut(&mut self, training: bool) -> &mut DataLoader<E> {
        if training { &mut self.train } else { &mut self.test }
    }

    /// Whether each pass of training draws an order of the samples.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn shuffles(&self) -> bool {
        self.train.options::<TrainOptions>().is_ok_and(|options| options.shuffle)
    }

    /// The options of training; in testing, the defaults of training where testing has no option.
    fn options(&self, training: bool) -> Result<TrainOptions> {
        if training {
            return self.train.options();
        }
        let TestOptions { batchsize, droplast } = self.test.options()?;
        let (shuffle, accumulate, clipnorm, clipvalue) = (false, 1, None, None);
        let (nonfinite, nonfiniteloss) = (NonFinite::Propagate, NonFinite::Propagate);
        Ok(TrainOptions { batchsize, shuffle, droplast, accumulate, clipnorm, clipvalue, nonfinite, nonfiniteloss })
    }

    /// The number of batches of an epoch.
    pub(crate) fn batches(&self, training: bool) -> Result<usize> {
        let TrainOptions { batchsize, droplast, .. } = self.options(training)?;
        self.loader(training).batches(count(batchsize), droplast)
    }

    /// Makes a step on the next batches, or measures the next one; `None` after the last, and then from the first again.
    pub(crate) fn batch(&mut self, context: &mut ForwardContext<'_, E>) -> Result<Option<BatchReport>> {
        let training = context.training;
        let options = self.options(training)?;
        #[cfg(not(target_family = "wasm"))]
        if training {
            self.optimizer.borrow_mut().leave_ended_group()?;
        }
        let begins = !self.loader(training).has_begun();
        if begins {
            self.loader_mut(training).begin(options.shuffle.then_some(&mut *context.random))?;
            let parallel = self.optimizer.borrow().data_parallel.clone();
            if let Some(parallel) = parallel.filter(|_| training) {
                let train = &mut self.train;
                if let Err(error) = train.agree(|order| parallel.order(context.engine, order)) {
                    train.end();
                    return Err(error);
                }
            }
        }
        let samples = self.loader(training).next(count(options.batchsize), options.droplast, count(options.accumulate));
        let samples_count = samples.len();
        if samples_count == 0 {
            self.loader_mut(training).end();
            return Ok(None);
        }
        let result =
            if training { self.learn_finite(context, samples, &options) } else { self.measure(context, samples) };
        if begins && result.is_err() {
            // After an error the next call draws the order again.
            self.loader_mut(training).end();
        }
        let LearnedStep { loss, measured, outcome } = result?;
        let skipped = outcome == Outcome::Skipped;
        let report = BatchReport { loss, skipped, samples: samples_count, count: measured.len() };
        self.loader_mut(training).advance(samples_count, measured);
        Ok(Some(report))
    }

    /// One step on some batches. After an error or a skipped step running statistics are restored.
    fn learn_finite(
        &self,
        context: &mut ForwardContext<'_, E>,
        samples: &[usize],
        options: &TrainOptions,
    ) -> Result<LearnedStep> {
        let engine = context.engine;
        let snapshot = BufferSnapshot::of(engine, &self.module, true)?;
        let result = told(engine, &self.optimizer, || {
            self.optimizer.borrow().check_non_finite(options.nonfinite, self.train.is_policy_given)?;
            self.learn(context, samples, options)
        });
        if let Err(_) | Ok(LearnedStep { outcome: Outcome::Skipped, .. }) = result {
            snapshot.restore(engine)?;
        }
        result
    }

    /// A step with options of training.
    fn step_call<'a>(&'a self, options: &'a TrainOptions) -> Result<StepCall<'a>> {
        Ok(StepCall {
            clip: options.clip()?,
            zerograd: false,
            nonfinite: options.nonfinite,
            #[cfg(not(target_family = "wasm"))]
            train: Some(TrainCall {
                options,
                metrics: &self.train.metrics,
                loss: Some(&self.loss).filter(|_| self.own_loss.is_none()),
            }),
            #[cfg(target_family = "wasm")]
            train: None,
        })
    }

    /// One step on some batches. An error before the step leaves gradients as they were.
    fn learn(
        &self,
        context: &mut ForwardContext<'_, E>,
        samples: &[usize],
        options: &TrainOptions,
    ) -> Result<LearnedStep> {
        let (engine, clip, policy) = (context.engine, options.clip()?, options.nonfinite);
        let call = self.step_call(options)?;
        let tensors = self.optimizer.borrow().tensors().to_vec();
        let device = self.device(engine)?;
        self.optimizer.borrow().optimizer.check_not_swapped()?;
        self.optimizer.borrow_mut().settle(engine)?;
        let scale = self.optimizer.borrow().scale_of_loss();
        let mut batches: Vec<_> = samples.chunks(count(options.batchsize)).collect();
        let parallel = self.optimizer.borrow().data_parallel.clone();
        if let Some(parallel) = &parallel {
            for batch in &mut batches {
                *batch = parallel.part(batch);
            }
        }
        let (shares, weight) = self.shares(engine, &batches, parallel.is_some())?;
        let share = match self.loss.is_mean() {
            true => Share::Mean(weight),
            false => Share::Sum(batches.iter().any(|batch| !batch.is_empty())),
        };
        let (mut loss_before, mut measured) = (None, Vec::new());
        // The gradients of all processes, which are reduced while this one computes its last ones.
        let last_position = batches.iter().rposition(|batch| parallel.is_some() && !batch.is_empty());
        let started = Cell::new(None);
        // A loss that is not finite, if the options refuse it.
        let refused = Cell::new(None);
        let mut compute = || {
            // Kept only if a later batch can fail: held memory is not reused for the new gradients.
            let is_kept = batches.len() > 1;
            let before: Vec<_> = tensors.iter().filter(|_| is_kept).map(|tensor| engine.grad(tensor)).collect();
            let mut sum = 0.0;
            let mut is_first = true;
            let mut add = |position: usize| {
                if batches[position].is_empty() {
                    // Other processes have the samples of the batch.
                    if measured.len() < batches.len() {
                        measured.push(BatchMetrics::default());
                    }
                    return Ok(());
                }
                let Batch { inputs, targets } = self.train.batch(engine, batches[position], device)?;
                let outputs = self.module.forward(context, std::slice::from_ref(&inputs))?;
                let output = self.module.only_output(outputs)?;
                let (loss, counted) = self.apply_loss(context, &output, &targets)?;
                if !engine.requires_grad(&loss) {
                    return Err(Error::new(Code::Gradient, "nothing that the module computes requires a gradient"));
                }
                let value = scalar(engine, &loss)?;
                if measured.len() < batches.len() {
                    let figures = (&self.loss, value, counted);
                    measured.push(BatchMetrics::new(engine, &self.train.metrics, figures, &output, &targets)?);
                    if !value.is_finite() && options.nonfiniteloss != NonFinite::Propagate {
                        refused.set(Some(value));
                        return Err(non_finite_loss(value));
                    }
                }
                if std::mem::replace(&mut is_first, false) {
                    clear(engine, &tensors)?;
                }
                sum += shares[position] * value;
                if last_position == Some(position) {
                    started.set(self.optimizer.borrow().start_reduction(engine, &Pass::Computed(sum, share), &call)?);
                }
                scaled_backward(context, &loss, scale * shares[position])
            };
            for position in 0..batches.len() {
                if let Err(error) = add(position) {
                    for (tensor, gradient) in tensors.iter().zip(&before) {
                        engine.set_grad(tensor, gradient.as_ref())?;
                    }
                    return Err(error);
                }
            }
            if is_first {
                clear(engine, &tensors)?;
            }
            Ok(sum)
        };
        // The loss of all processes, with their gradients.
        let mut compute = || {
            let result = compute();
            let loss = match &parallel {
                None => result?,
                Some(_) => self.agreed(engine, result, (started.take(), &call), &refused, share)?,
            };
            loss_before.get_or_insert(loss);
            Ok(loss)
        };
        let needs_closure = self.optimizer.borrow().optimizer.definition().needs_closure();
        let mut finite_check = FiniteCheck::default();
        let result = if needs_closure {
            // The line search compares gradients, so each of them is clipped where it is computed.
            let result = minimize(&EngineAccess::Engine(engine), &self.optimizer, &mut || {
                let loss = compute()?;
                if policy != NonFinite::Propagate {
                    finite_check.check(&*self.optimizer.borrow(), engine, loss)?;
                }
                if clip != Clip::None {
                    clip_gradients(engine, &tensors, clip, 1.0)?;
                }
                Ok(loss)
            });
            result.map(|_| Outcome::Stepped)
        } else {
            compute().and_then(|_| {
                let mut bound = self.optimizer.borrow_mut();
                match bound.apply(engine, clip, false, policy)? {
                    // The report says whether the step was skipped, and running statistics are then restored.
                    Outcome::Pending => Ok(bound.settle(engine)?.unwrap_or(Outcome::Stepped)),
                    outcome => Ok(outcome),
                }
            })
        };
        let is_skipped = finite_check.skipped_loss(policy).is_some()
            || (refused.get().is_some() && options.nonfiniteloss == NonFinite::Skip);
        let outcome = if is_skipped {
            self.optimizer.borrow_mut().optimizer.count_skipped();
            Outcome::Skipped
        } else {
            result?
        };
        if let Some(parallel) = &parallel {
            parallel.measure(&mut measured, batches.len(), !self.loss.is_mean())?;
            if refused.get().is_some() {
                // The loss of the batch, of which each process has refused or computed a part.
                refused.set(measured.last().map(|batch| batch.loss));
            }
        }
        let loss = loss_before.or(refused.get()).ok_or_else(|| Error::new(Code::Internal, "a step without a loss"))?;
        Ok(LearnedStep { loss, measured, outcome })
    }

    /// The loss of all processes, from the loss of this one, with the gradients of all.
    fn agreed(
        &self,
        engine: &E,
        result: Result<f64>,
        (started, call): (Option<StartedReduction<E>>, &StepCall<'_>),
        refused: &Cell<Option<f64>>,
        share: Share,
    ) -> Result<f64> {
        let pass = match (&result, refused.get()) {
            (Ok(loss), _) => Pass::Computed(*loss, share),
            (Err(_), Some(loss)) => Pass::Refused(loss),
            (Err(_), None) => Pass::Failed,
        };
        let passes = match started {
            Some(started) => started.finish(engine, result.is_ok()),
            None => self.optimizer.borrow().reduce(engine, &pass, call),
        };
        result?;
        match passes? {
            Passes::Computed(loss) => Ok(loss),
            Passes::Refused(loss) => {
                refused.set(Some(loss));
                Err(non_finite_loss(loss))
            }
        }
    }

    /// The factor of each batch's loss in the loss of all of them as one large batch, and the weight of that loss. Unless `is_weighed`,
    /// the weight of a single batch means nothing.
    fn shares(&self, engine: &E, batches: &[&[usize]], is_weighed: bool) -> Result<(Vec<f64>, f64)> {
        let mut shares = with_capacity(batches.len())?;
        for batch in batches {
            // One batch has the whole weight, whatever it is.
            let is_weighed = (is_weighed || batches.len() > 1) && !batch.is_empty();
            let divisor = match is_weighed && self.loss.takes_classes() {
                true => match self.train.targets(engine, batch)? {
                    Data::Long(classes) => self.loss.divisor_of(&classes),
                    _ => batch.len() as f64,
                },
                false => batch.len() as f64,
            };
            shares.push(self.loss.weight(divisor));
        }
        let total = shares.iter().sum::<f64>();
        if self.loss.is_mean() {
            let total = if total > 0.0 { total } else { 1.0 };
            shares.iter_mut().for_each(|share| *share /= total);
        }
        Ok((shares, total))
    }

    /// The loss of a batch, and the number of losses that are averaged: of samples, if the loss is a function of JavaScript.
    fn apply_loss(
        &self,
        context: &mut ForwardContext<'_, E>,
        output: &E::Tensor,
        targets: &E::Tensor,
    ) -> Result<(E::Tensor, f64)> {
        let engine = context.engine;
        let Some(function) = self.own_loss else {
            return self.loss.apply(engine, output, targets).map_err(|error| error.within(self.loss.name()));
        };
        let host = context.host.ok_or_else(|| Error::new(Code::Internal, "a function without its engine"))?;
        let given = [output.clone(), targets.clone()];
        let mut outputs = host.call(function, context.training, context.random, &given)?;
        let (count, loss) = (outputs.len(), outputs.pop().flatten());
        let Some(loss) = loss.filter(|_| count == 1) else {
            let message = format_args!("expected the loss to return one tensor, given {count}");
            return Err(Error::new(Code::Argument, message));
        };
        let (shape, dtype) = (engine.shape(&loss)?, engine.dtype(&loss)?);
        if shape.iter().product::<usize>() != 1 {
            let message =
                format_args!("expected the loss to return a tensor of one element, given one of shape {shape:?}");
            return Err(Error::new(Code::Shape, message));
        }
        if !dtype.is_floating() {
            let message =
                format_args!("expected the loss to return a tensor of floating point, given {}", dtype.name());
            return Err(Error::new(Code::Dtype, message));
        }
        Ok((loss, engine.shape(targets)?.first().copied().unwrap_or(1) as f64))
    }

    /// Measures a batch for testing, and changes nothing.
    fn measure(&self, context: &mut ForwardContext<'_, E>, samples: &[usize]) -> Result<LearnedStep> {
        let engine = context.engine;
        let Batch { inputs, targets } = self.test.batch(engine, samples, self.device(engine)?)?;
        let snapshot = BufferSnapshot::of(engine, &self.module, false)?;
        let result = (|| {
            let outputs = self.module.evaluate_detached(context, std::slice::from_ref(&inputs))?;
            let output = self.module.only_output(outputs)?;
            let (value, counted) = engine.no_grad(|| self.apply_loss(context, &output, &targets))?;
            let loss = scalar(engine, &value)?;
            let figures = (&self.loss, loss, counted);
            let measured = BatchMetrics::new(engine, &self.test.metrics, figures, &output, &targets)?;
            Ok(LearnedStep { loss, measured: vec![measured], outcome: Outcome::Stepped })
        })();
        snapshot.restore_unless(result.is_ok(), engine)?;
        result
    }
}

/// Removes the gradients of parameters.
fn clear<E: Engine>(engine: &E, tensors: &[E::Tensor]) -> Result<()> {
    tensors.iter().try_for_each(|tensor| engine.set_grad(tensor, None))
}

/// The result of a step, or of a measurement.
struct LearnedStep {
    /// The loss before the step, of its batches as one large batch.
    loss: f64,
    /// The measurements of each batch.
    measured: Vec<BatchMetrics>,
    outcome: Outcome,
}

fn scalar<E: Engine>(engine: &E, tensor: &E::Tensor) -> Result<f64> {
    match engine.data(tensor)?.cast(Dtype::Double)? {
        Data::Double(numbers) if numbers.len() == 1 => Ok(numbers[0]),
        _ => Err(Error::new(Code::Internal, "a loss of several numbers")),
    }
}
