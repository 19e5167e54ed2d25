//! The formulas of losses: kernels of the engines, and compositions that both engines share.

use std::rc::Rc;

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::operations::{Loss, Reduction};
use crate::engine::primitives::{Binary, Reduce};
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::loss::classes::ClassLoss;
use crate::nn::loss::terms::Terms;
use crate::nn::loss::{classes, elements, sequences, vectors};

/// A loss with its options, but for the reduction.
#[derive(Clone, Debug)]
pub(crate) enum Formula {
    /// A kernel of both engines. A third tensor has the weight of each element.
    Engine(Loss),
    /// Cross entropy or negative log-likelihood.
    Classes(ClassLoss),
    /// Binary cross entropy of logits with weights of positive targets.
    WeightedLogits(Rc<[f64]>),
    Huber {
        delta: f64,
    },
    Kl {
        log: bool,
        by_samples: bool,
    },
    Poisson {
        log: bool,
        full: bool,
        eps: f64,
    },
    Hinge {
        margin: f64,
    },
    SoftMargin,
    MultiLabel,
    MultiMargin {
        square: bool,
        margin: f64,
        weight: Option<Rc<[f64]>>,
    },
    MultiSoft {
        weight: Option<Rc<[f64]>>,
    },
    Cosine {
        margin: f64,
    },
    Margin {
        margin: f64,
    },
    Triplet {
        margin: f64,
        p: f64,
        eps: f64,
        swap: bool,
    },
    Ctc {
        blank: i64,
        zero_infinity: bool,
    },
}

impl Formula {
    /// The reduced loss, and the divisor of its mean. `inputs` are as many as the table allows, with checked shapes, dtypes
    /// and devices; `counted` is the number of losses of a kernel. The mean of no losses is 0, with gradients of 0.
    pub(crate) fn apply<E: Engine>(
        &self,
        engine: &E,
        inputs: &[E::Tensor],
        reduction: Reduction,
        counted: f64,
    ) -> Result<(E::Tensor, f64)> {
        let kernel = |loss: Loss| {
            let reduction = if reduction == Reduction::Mean && counted == 0.0 { Reduction::Sum } else { reduction };
            Ok((engine.loss(loss, &inputs[0], &inputs[1], reduction)?, counted))
        };
        let terms = match (self, inputs) {
            (Formula::Engine(loss), [_, _]) => return kernel(*loss),
            (Formula::Classes(class), _) if class.weight.is_none() && class.smoothing == 0.0 => {
                let ignore = class.ignore;
                return kernel(if class.logits { Loss::CrossEntropy { ignore } } else { Loss::Nll { ignore } });
            }
            (Formula::Engine(loss), [x, y, weight]) => {
                let losses = engine.loss(*loss, x, y, Reduction::None)?;
                Terms::each(weighted(engine, &losses, weight)?)
            }
            (Formula::Classes(class), [x, y]) => classes::cross_entropy(engine, class, x, y)?,
            (Formula::WeightedLogits(posweight), [x, y, rest @ ..]) => {
                let losses = elements::weighted_logits(engine, x, y, posweight)?;
                Terms::each(match rest.first() {
                    Some(weight) => weighted(engine, &losses, weight)?,
                    None => losses,
                })
            }
            (Formula::Huber { delta }, [x, y]) => Terms::each(elements::huber(engine, x, y, *delta)?),
            (Formula::Kl { log, by_samples }, [x, y]) => Terms {
                losses: elements::kl(engine, x, y, *log)?,
                divisor: if *by_samples { engine.shape(x)?.first().map(|n| *n as f64) } else { None },
            },
            (Formula::Poisson { log, full, eps }, [x, y]) => {
                Terms::each(elements::poisson(engine, x, y, *log, *full, *eps)?)
            }
            (Formula::Hinge { margin }, [x, y]) => Terms::each(elements::hinge(engine, x, y, *margin)?),
            (Formula::SoftMargin, [x, y]) => Terms::each(elements::soft_margin(engine, x, y)?),
            (Formula::MultiLabel, [x, y]) => Terms::each(classes::multi_label(engine, x, y)?),
            (Formula::MultiMargin { square, margin, weight }, [x, y]) => {
                Terms::each(classes::multi_margin(engine, x, y, *square, *margin, weight.as_deref())?)
            }
            (Formula::MultiSoft { weight }, [x, y]) => {
                Terms::each(classes::multi_label_soft_margin(engine, x, y, weight.as_deref())?)
            }
            (Formula::Cosine { margin }, [a, b, y]) => Terms::each(vectors::cosine(engine, a, b, y, *margin)?),
            (Formula::Margin { margin }, [a, b, y]) => Terms::each(vectors::margin(engine, a, b, y, *margin)?),
            (Formula::Triplet { margin, p, eps, swap }, [a, b, c]) => {
                Terms::each(vectors::triplet(engine, [a, b, c], *margin, *p, *eps, *swap)?)
            }
            (Formula::Ctc { blank, zero_infinity }, [x, targets, input_lengths, target_lengths]) => {
                let lengths = [input_lengths, target_lengths];
                let by_length = reduction == Reduction::Mean;
                Terms::each(sequences::ctc(engine, x, targets, lengths, *blank, *zero_infinity, by_length)?)
            }
            _ => return Err(Error::new(Code::Internal, "a loss with another number of inputs than its row")),
        };
        reduced(engine, &terms, reduction)
    }
}

/// Losses with the weight of each, which broadcasts.
fn weighted<E: Engine>(engine: &E, losses: &E::Tensor, weight: &E::Tensor) -> Result<E::Tensor> {
    let shape = engine.shape(losses)?;
    if engine.broadcast(&[losses, weight])? != shape {
        let given = engine.shape(weight)?;
        let message = format!("expected weights that broadcast to {shape:?}, given shape {given:?}");
        return Err(Error::new(Code::Shape, message));
    }
    engine.binary(Binary::Mul, losses, weight)
}

fn reduced<E: Engine>(engine: &E, terms: &Terms<E::Tensor>, reduction: Reduction) -> Result<(E::Tensor, f64)> {
    let Terms { losses, divisor } = terms;
    let shape = engine.shape(losses)?;
    let count = shape.iter().product::<usize>() as f64;
    let divisor = divisor.unwrap_or(count);
    let dims: Vec<usize> = (0..shape.len()).collect();
    let loss = match reduction {
        Reduction::None => losses.clone(),
        Reduction::Mean if divisor == count && count > 0.0 => engine.reduce(Reduce::Mean, losses, &dims, false)?,
        Reduction::Mean if divisor != 0.0 => {
            engine.with_number(Binary::Div, &engine.reduce(Reduce::Sum, losses, &dims, false)?, divisor)?
        }
        _ => engine.reduce(Reduce::Sum, losses, &dims, false)?,
    };
    Ok((loss, divisor))
}
