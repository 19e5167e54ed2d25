//! A model: a module, a loss and an optimizer, with the samples that they learn from.

use std::cell::RefCell;
use std::rc::Rc;

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
use crate::training::metrics::{BatchMetrics, Metric};
use crate::training::non_finite::FiniteCheck;
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
    pub(crate) fn run(&mut self, engine: &E, random: &mut Random) -> Result<Vec<BatchMetrics>> {
        let options: TrainOptions = self.train.options()?;
        if self.train.batches(count(options.batchsize), options.droplast)? == 0 {
            return Err(no_batch());
        }
        self.train.end();
        let mut batches = Vec::new();
        while let Some(measured) = self.batch(engine, random)? {
            batches.push(measured);
        }
        Ok(batches)
    }

    /// Trains on the next batch; `None` after the last, and then from the first again.
    pub(crate) fn batch(&mut self, engine: &E, random: &mut Random) -> Result<Option<BatchMetrics>> {
        let options: TrainOptions = self.train.options()?;
        let begins = !self.train.has_begun();
        if begins {
            self.train.begin(options.shuffle.then_some(&mut *random))?;
        }
        let next = self.train.next(engine, count(options.batchsize), options.droplast);
        let next = next.inspect_err(|_| {
            // After an error the next call draws the order again.
            if begins {
                self.train.end();
            }
        })?;
        let Some(Batch { inputs, targets, size }) = next else {
            self.train.end();
            return Ok(None);
        };
        let mut context = ForwardContext { engine, random, training: true };
        let measured = self.learn_finite(&mut context, &inputs, &targets, &options).inspect_err(|_| {
            // After an error the next call draws the order again.
            if begins {
                self.train.end();
            }
        })?;
        self.train.advance(size);
        Ok(Some(measured))
    }

    /// One step on a batch. After an error or a skipped step running statistics are restored.
    fn learn_finite(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &E::Tensor,
        targets: &E::Tensor,
        options: &TrainOptions,
    ) -> Result<BatchMetrics> {
        let (clip, policy, engine) = (options.clip()?, options.nonfinite, context.engine);
        self.optimizer.borrow().check_non_finite(policy, self.train.is_policy_given)?;
        let snapshot = BufferSnapshot::of(engine, &self.module)?;
        let result = self.learn(context, inputs, targets, clip, policy);
        if let Err(_) | Ok((_, Outcome::Skipped)) = result {
            snapshot.restore(engine)?;
        }
        result.map(|(measured, _)| measured)
    }

    /// One step on a batch, with its outcome. An error before the step leaves gradients as they were.
    fn learn(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &E::Tensor,
        targets: &E::Tensor,
        clip: Clip,
        policy: NonFinite,
    ) -> Result<(BatchMetrics, Outcome)> {
        let engine = context.engine;
        let tensors = self.optimizer.borrow().tensors().to_vec();
        self.optimizer.borrow().optimizer.check_not_swapped()?;
        let scale = self.optimizer.borrow().scale_of_loss();
        let mut first = None;
        let mut compute = || {
            let output = self.module.forward(context, inputs)?;
            let (loss, counted) =
                self.loss.apply(engine, &output, targets).map_err(|error| error.within(self.loss.name()))?;
            if !engine.requires_grad(&loss) {
                return Err(Error::new(Code::Gradient, "nothing that the module computes requires a gradient"));
            }
            for tensor in &tensors {
                engine.set_grad(tensor, None)?;
            }
            scaled_backward(engine, &loss, scale)?;
            let loss = scalar(engine, &loss)?;
            if first.is_none() {
                let measured = (&self.loss, loss, counted);
                first = Some(BatchMetrics::new(engine, &self.train.metrics, measured, &output, targets)?);
            }
            Ok(loss)
        };
        let outcome = if self.optimizer.borrow().optimizer.definition().needs_closure() {
            let mut finite_check = FiniteCheck::default();
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
            if finite_check.skipped_loss(policy).is_some() {
                self.optimizer.borrow_mut().optimizer.count_skipped();
                Outcome::Skipped
            } else {
                result?;
                Outcome::Stepped
            }
        } else {
            compute()?;
            self.optimizer.borrow_mut().step(engine, clip, false, policy)?
        };
        let measured = first.ok_or_else(|| Error::new(Code::Internal, "a step without a loss"))?;
        Ok((measured, outcome))
    }

    /// Measures all batches for testing, and changes nothing.
    pub(crate) fn testrun(&mut self, engine: &E, random: &mut Random) -> Result<Vec<BatchMetrics>> {
        let TestOptions { batchsize, droplast } = self.test.options()?;
        if self.test.batches(count(batchsize), droplast)? == 0 {
            return Err(no_batch());
        }
        self.test.begin(None)?;
        let mut batches = Vec::new();
        while let Some(Batch { inputs, targets, size }) = self.test.next(engine, count(batchsize), droplast)? {
            let mut context = ForwardContext { engine, random: &mut *random, training: false };
            batches.push(measure(&self.module, self.loss, &self.test.metrics, &mut context, &inputs, &targets)?);
            self.test.advance(size);
        }
        self.test.end();
        Ok(batches)
    }
}

fn measure<E: Engine>(
    module: &Module<E>,
    loss: LossFunction,
    metrics: &[Metric],
    context: &mut ForwardContext<'_, E>,
    inputs: &E::Tensor,
    targets: &E::Tensor,
) -> Result<BatchMetrics> {
    let output = module.evaluate_detached(context, inputs)?;
    let (value, counted) = loss.apply(context.engine, &output, targets).map_err(|error| error.within(loss.name()))?;
    let measured = (&loss, scalar(context.engine, &value)?, counted);
    BatchMetrics::new(context.engine, metrics, measured, &output, targets)
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
