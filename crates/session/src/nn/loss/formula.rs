//! The formulas of losses: kernels of the engines, and compositions that both engines share.

use stepwell_optim::{Code, Error, Result, Shared};

use crate::engine::Engine;
use crate::engine::operations::{Loss, Reduction};
use crate::engine::primitives::{Binary, Reduce};
use crate::mathematics::calculation::{Calculation, Node};
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
    WeightedLogits(Shared<[f64]>),
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
        weight: Option<Shared<[f64]>>,
    },
    MultiSoft {
        weight: Option<Shared<[f64]>>,
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
        match (self, inputs) {
            (Formula::Engine(loss), [_, _]) => return kernel(*loss),
            (Formula::Classes(class), _) if class.weight.is_none() && class.smoothing == 0.0 => {
                let ignore = class.ignore;
                return kernel(if class.logits { Loss::CrossEntropy { ignore } } else { Loss::Nll { ignore } });
            }
            _ => {}
        }
        let c = Calculation::new(engine);
        let terms = self.terms(&c, inputs, reduction)?;
        let (loss, divisor) = reduced(&c, &terms, reduction)?;
        Ok((c.result(loss)?, divisor))
    }

    /// The losses of a formula that is composed of primitives.
    fn terms<E: Engine>(&self, c: &Calculation<'_, E>, inputs: &[E::Tensor], reduction: Reduction) -> Result<Terms> {
        if let (Formula::Engine(loss), [x, y, weight]) = (self, inputs) {
            let losses = c.output(c.engine.loss(*loss, x, y, Reduction::None));
            return Ok(Terms::each(weighted(c, losses, c.input(weight))?));
        }
        let mut nodes = Vec::new();
        for input in inputs {
            nodes.push(c.input(input));
        }
        let losses = match (self, &nodes[..]) {
            (Formula::Classes(class), &[x, y]) => return classes::cross_entropy(c, class, [x, y]),
            (Formula::WeightedLogits(posweight), &[x, y, ref rest @ ..]) => {
                let size = c.shape(x)?.last().copied().unwrap_or(1);
                let losses = elements::weighted_logits(c, [x, y], posweight, size);
                match rest.first() {
                    Some(weight) => weighted(c, losses, *weight)?,
                    None => losses,
                }
            }
            (Formula::Huber { delta }, &[x, y]) => elements::huber(c, [x, y], *delta),
            (Formula::Kl { log, by_samples }, &[x, y]) => {
                let divisor = if *by_samples { c.shape(x)?.first().map(|n| *n as f64) } else { None };
                return Ok(Terms { losses: elements::kl(c, [x, y], *log), divisor });
            }
            (Formula::Poisson { log, full, eps }, &[x, y]) => elements::poisson(c, [x, y], *log, *full, *eps),
            (Formula::Hinge { margin }, &[x, y]) => elements::hinge(c, [x, y], *margin),
            (Formula::SoftMargin, &[x, y]) => elements::soft_margin(c, [x, y]),
            (Formula::MultiLabel, &[x, y]) => classes::multi_label(c, [x, y])?,
            (Formula::MultiMargin { square, margin, weight }, &[x, y]) => {
                classes::multi_margin(c, [x, y], *square, *margin, weight.as_deref())?
            }
            (Formula::MultiSoft { weight }, &[x, y]) => classes::multi_label_soft_margin(c, [x, y], weight.as_deref())?,
            (Formula::Cosine { margin }, &[a, b, y]) => vectors::cosine(c, [a, b, y], *margin)?,
            (Formula::Margin { margin }, &[a, b, y]) => vectors::margin(c, [a, b, y], *margin),
            (Formula::Triplet { margin, p, eps, swap }, &[anchor, positive, negative]) => {
                vectors::triplet(c, [anchor, positive, negative], *margin, *p, *eps, *swap)
            }
            (Formula::Ctc { blank, zero_infinity }, &[x, targets, input_lengths, target_lengths]) => {
                let lengths = [input_lengths, target_lengths];
                sequences::ctc(c, x, targets, lengths, *blank, *zero_infinity, reduction == Reduction::Mean)?
            }
            _ => return Err(Error::new(Code::Internal, "a loss with another number of inputs than its row")),
        };
        Ok(Terms::each(losses))
    }
}

/// Losses with the weight of each, which broadcasts.
fn weighted<E: Engine>(c: &Calculation<'_, E>, losses: Node, weight: Node) -> Result<Node> {
    let shape = c.shape(losses)?;
    if c.engine.broadcast(&[&c.result(losses)?, &c.result(weight)?])? != shape {
        let given = c.shape(weight)?;
        let message = format_args!("expected weights that broadcast to {shape:?}, given shape {given:?}");
        return Err(Error::new(Code::Shape, message));
    }
    Ok(c.binary(Binary::Mul, losses, weight))
}

fn reduced<E: Engine>(c: &Calculation<'_, E>, terms: &Terms, reduction: Reduction) -> Result<(Node, f64)> {
    let Terms { losses, divisor } = *terms;
    let shape = c.shape(losses)?;
    let count = shape.iter().product::<usize>() as f64;
    let divisor = divisor.unwrap_or(count);
    let dims: Vec<usize> = (0..shape.len()).collect();
    let reduced = |function| c.reduce(function, losses, &dims, false);
    let loss = match reduction {
        Reduction::None => losses,
        Reduction::Mean if divisor == count && count > 0.0 => reduced(Reduce::Mean),
        Reduction::Mean if divisor != 0.0 => c.with_number(Binary::Div, reduced(Reduce::Sum), divisor),
        _ => reduced(Reduce::Sum),
    };
    Ok((loss, divisor))
}
