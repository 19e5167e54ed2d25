//! A model: a module, a loss and an optimizer, with the samples that they learn from.

use std::cell::RefCell;
use std::rc::Rc;

use stepwell_optim::fallible::with_capacity;
use stepwell_optim::{Clip, Code, Error, NonFinite, Outcome, Result, count};

use crate::engine::Engine;
use crate::nn::buffer_snapshot::BufferSnapshot;
use crate::nn::context::ForwardContext;
use crate::nn::loss::LossFunction;
use crate::nn::module::Module;
use crate::random::Random;
use crate::training::bound_optimizer::{BoundOptimizer, scaled_backward};
use crate::training::clip::clip_gradients;
use crate::training::data_loader::{Batch, DataLoader, TestOptions, TrainOptions};
use crate::training::lbfgs_step::{EngineAccess, minimize};
use crate::training::metrics::{BatchMetrics, BatchReport};
use crate::training::non_finite::{FiniteCheck, non_finite_loss};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// A module with its loss, its optimizer and its data. Other handles can share the module and the optimizer.
pub(crate) struct Model<E: Engine> {
    pub(crate) module: Rc<Module<E>>,
    pub(crate) loss: LossFunction,
    pub(crate) optimizer: Rc<RefCell<BoundOptimizer<E>>>,
    pub(crate) train: DataLoader<E>,
    pub(crate) test: DataLoader<E>,
}

impl<E: Engine> Model<E> {
    pub(crate) fn new(
        module: Rc<Module<E>>,
        loss: LossFunction,
        optimizer: Rc<RefCell<BoundOptimizer<E>>>,
    ) -> Result<Self> {
        if !loss.is_scalar() {
            let message = "a model needs a loss that reduces to one number: reduce mean or sum, given none";
            return Err(Error::new(Code::Argument, message));
        }
        let (train, test) = (DataLoader::new::<TrainOptions>(), DataLoader::new::<TestOptions>());
        Ok(Self { module, loss, optimizer, train, test })
    }

    /// The tensors that samples are taken from.
    pub(crate) fn samples(&self) -> Vec<E::Tensor> {
        self.train.tensors().chain(self.test.tensors()).collect()
    }

    /// Trains on all batches, each once, from the first on.
    pub(crate) fn run(&mut self, engine: &E, random: &mut Random) -> Result<()> {
        if self.train_batches()? == 0 {
            return Err(no_batch());
        }
        self.train.end();
        while self.batch(engine, random)?.is_some() {}
        Ok(())
    }

    /// The number of batches of an epoch of training.
    pub(crate) fn train_batches(&self) -> Result<usize> {
        let TrainOptions { batchsize, droplast, .. } = self.train.options()?;
        self.train.batches(count(batchsize), droplast)
    }

    /// The number of batches of an epoch of testing.
    pub(crate) fn test_batches(&self) -> Result<usize> {
        let TestOptions { batchsize, droplast } = self.test.options()?;
        self.test.batches(count(batchsize), droplast)
    }

    /// Makes a step on the next batches; `None` after the last, and then from the first again.
    pub(crate) fn batch(&mut self, engine: &E, random: &mut Random) -> Result<Option<BatchReport>> {
        let options: TrainOptions = self.train.options()?;
        let begins = !self.train.has_begun();
        if begins {
            self.train.begin(options.shuffle.then_some(&mut *random))?;
        }
        let samples = self.train.next(count(options.batchsize), options.droplast, count(options.accumulate));
        if samples.is_empty() {
            self.train.end();
            return Ok(None);
        }
        let samples_count = samples.len();
        let mut context = ForwardContext { engine, random, training: true };
        let result = self.learn_finite(&mut context, samples, &options);
        if begins && result.is_err() {
            // After an error the next call draws the order again.
            self.train.end();
        }
        let LearnedStep { loss, measured, outcome } = result?;
        let skipped = outcome == Outcome::Skipped;
        let report = BatchReport { loss, skipped, samples: samples_count, count: measured.len() };
        self.train.advance(samples_count, measured);
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
        self.optimizer.borrow().check_non_finite(options.nonfinite, self.train.is_policy_given)?;
        let snapshot = BufferSnapshot::of(engine, &self.module)?;
        let result = self.learn(context, samples, options);
        if let Err(_) | Ok(LearnedStep { outcome: Outcome::Skipped, .. }) = result {
            snapshot.restore(engine)?;
        }
        result
    }

    /// One step on some batches. An error before the step leaves gradients as they were.
    fn learn(
        &self,
        context: &mut ForwardContext<'_, E>,
        samples: &[usize],
        options: &TrainOptions,
    ) -> Result<LearnedStep> {
        let (engine, clip, policy) = (context.engine, options.clip()?, options.nonfinite);
        let tensors = self.optimizer.borrow().tensors().to_vec();
        self.optimizer.borrow().optimizer.check_not_swapped()?;
        let scale = self.optimizer.borrow().scale_of_loss();
        let batches: Vec<_> = samples.chunks(count(options.batchsize)).collect();
        let shares = self.shares(engine, samples, &batches)?;
        let (mut loss_before, mut measured) = (None, Vec::new());
        let mut is_loss_refused = false;
        let mut compute = || {
            // Kept only if a later batch can fail: held memory is not reused for the new gradients.
            let is_kept = batches.len() > 1;
            let before: Vec<_> = tensors.iter().filter(|_| is_kept).map(|tensor| engine.grad(tensor)).collect();
            let mut sum = 0.0;
            let mut add = |position: usize| {
                let Batch { inputs, targets } = self.train.batch(engine, batches[position])?;
                let output = self.module.forward(context, &inputs)?;
                let (loss, counted) =
                    self.loss.apply(engine, &output, &targets).map_err(|error| error.within(self.loss.name()))?;
                if !engine.requires_grad(&loss) {
                    return Err(Error::new(Code::Gradient, "nothing that the module computes requires a gradient"));
                }
                let value = scalar(engine, &loss)?;
                if measured.len() < batches.len() {
                    let figures = (&self.loss, value, counted);
                    measured.push(BatchMetrics::new(engine, &self.train.metrics, figures, &output, &targets)?);
                    if !value.is_finite() && options.nonfiniteloss != NonFinite::Propagate {
                        is_loss_refused = true;
                        loss_before.get_or_insert(value);
                        return Err(non_finite_loss(value));
                    }
                }
                if position == 0 {
                    for tensor in &tensors {
                        engine.set_grad(tensor, None)?;
                    }
                }
                sum += shares[position] * value;
                scaled_backward(engine, &loss, scale * shares[position])
            };
            for position in 0..batches.len() {
                if let Err(error) = add(position) {
                    for (tensor, gradient) in tensors.iter().zip(&before) {
                        engine.set_grad(tensor, gradient.as_ref())?;
                    }
                    return Err(error);
                }
            }
            loss_before.get_or_insert(sum);
            Ok(sum)
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
            compute().and_then(|_| self.optimizer.borrow_mut().step(engine, clip, false, policy))
        };
        let is_skipped = finite_check.skipped_loss(policy).is_some()
            || (is_loss_refused && options.nonfiniteloss == NonFinite::Skip);
        let outcome = if is_skipped {
            self.optimizer.borrow_mut().optimizer.count_skipped();
            Outcome::Skipped
        } else {
            result?
        };
        let loss = loss_before.ok_or_else(|| Error::new(Code::Internal, "a step without a loss"))?;
        Ok(LearnedStep { loss, measured, outcome })
    }

    /// The factor of each batch's loss in the loss of all of them as one large batch.
    fn shares(&self, engine: &E, samples: &[usize], batches: &[&[usize]]) -> Result<Vec<f64>> {
        if batches.len() == 1 {
            return Ok(vec![1.0]);
        }
        let classes = match (self.loss.ignored(), self.train.targets(engine, samples)?) {
            (Some(ignored), Data::Long(classes)) => Some((ignored, classes)),
            _ => None,
        };
        let counted = |from: usize, to: usize| match &classes {
            Some((ignored, classes)) => {
                let width = classes.len() / samples.len();
                classes[from * width..to * width].iter().filter(|class| *class != ignored).count()
            }
            None => to - from,
        };
        let total = self.loss.weight(counted(0, samples.len()));
        let (mut shares, mut from) = (with_capacity(batches.len())?, 0);
        for batch in batches {
            let to = from + batch.len();
            shares.push(if total > 0.0 { self.loss.weight(counted(from, to)) / total } else { 1.0 });
            from = to;
        }
        Ok(shares)
    }

    /// Measures all batches for testing, and changes nothing.
    pub(crate) fn testrun(&mut self, engine: &E, random: &mut Random) -> Result<()> {
        if self.test_batches()? == 0 {
            return Err(no_batch());
        }
        self.test.end();
        while self.testbatch(engine, random)?.is_some() {}
        Ok(())
    }

    /// Measures the next batch for testing; `None` after the last, and then from the first again.
    pub(crate) fn testbatch(&mut self, engine: &E, random: &mut Random) -> Result<Option<BatchReport>> {
        let TestOptions { batchsize, droplast } = self.test.options()?;
        let begins = !self.test.has_begun();
        if begins {
            self.test.begin(None)?;
        }
        let samples = self.test.next(count(batchsize), droplast, 1);
        if samples.is_empty() {
            self.test.end();
            return Ok(None);
        }
        let samples_count = samples.len();
        let mut context = ForwardContext { engine, random, training: false };
        let result = self.measure(&mut context, samples);
        if begins && result.is_err() {
            self.test.end();
        }
        let measured = result?;
        self.test.advance(samples_count, vec![measured]);
        Ok(Some(BatchReport { loss: measured.loss, skipped: false, samples: samples_count, count: 1 }))
    }

    fn measure(&self, context: &mut ForwardContext<'_, E>, samples: &[usize]) -> Result<BatchMetrics> {
        let engine = context.engine;
        let Batch { inputs, targets } = self.test.batch(engine, samples)?;
        let output = self.module.evaluate_detached(context, &inputs)?;
        let (value, counted) =
            self.loss.apply(engine, &output, &targets).map_err(|error| error.within(self.loss.name()))?;
        let measured = (&self.loss, scalar(engine, &value)?, counted);
        BatchMetrics::new(engine, &self.test.metrics, measured, &output, &targets)
    }
}

/// The result of a step.
struct LearnedStep {
    /// The loss before the step, of its batches as one large batch.
    loss: f64,
    /// The measurements of each batch.
    measured: Vec<BatchMetrics>,
    outcome: Outcome,
}

fn no_batch() -> Error {
    Error::new(Code::Shape, "expected at least one batch, given too few samples for one")
}

fn scalar<E: Engine>(engine: &E, tensor: &E::Tensor) -> Result<f64> {
    match engine.data(tensor)?.cast(Dtype::Double)? {
        Data::Double(numbers) if numbers.len() == 1 => Ok(numbers[0]),
        _ => Err(Error::new(Code::Internal, "a loss of several numbers")),
    }
}
