//! What an optimizer's file supplies, and the same with its types erased for the rest of the crate.

use crate::clip::{Gradient, Prepare};
use crate::state::MAX_BUFFERS;
use crate::{Buffer, Code, Error, OptionSet, OptionSpec, Result, Scalar, Value, View};

/// An optimizer that updates each parameter from its own gradient and state.
///
/// An implementor does not see parameter groups, missing gradients, dtypes, saving or loading.
pub(crate) trait Rule: 'static {
    /// The option table.
    type Options: OptionSet;
    /// The name, as in the k-api.
    const NAME: &'static str;
    /// The PyTorch class, if there is one.
    const PYTORCH: Option<&'static str>;
    /// One sentence.
    const ABOUT: &'static str;
    /// False for an optimizer whose state has no step count.
    const COUNTS_STEPS: bool = true;
    /// Keys of the state buffers, as in PyTorch, in the order in which `state` shows them.
    const BUFFERS: &'static [&'static str];

    /// What each of [`Rule::BUFFERS`] starts with, `None` for one that these options do not use.
    fn fills(options: &Self::Options) -> [Option<f64>; MAX_BUFFERS];

    /// A rule over several options, beyond the limit of each.
    fn check(_options: &Self::Options) -> Result<()> {
        Ok(())
    }

    /// True if [`Step::gradient_norm`] is wanted.
    fn wants_gradient_norm(_options: &Self::Options) -> bool {
        false
    }

    /// Updates a parameter and its state in place. `None` if a buffer that these options use is missing, which is a bug.
    fn update<T: Scalar>(options: &Self::Options, step: &Step, tensor: Tensor<'_, T>) -> Option<()>;
}

/// What a step knows beside the parameter itself.
pub(crate) struct Step {
    /// 1 for the first step of this parameter.
    pub(crate) number: u64,
    /// True if this step made one of the buffers.
    pub(crate) fresh: bool,
    /// The L2 norm of the gradients of all groups, as clipped; 0 unless wanted.
    pub(crate) gradient_norm: f64,
    /// How gradients are clipped.
    pub(crate) prepare: Prepare,
}

/// One parameter, its gradient and its state buffers in the order of [`Rule::BUFFERS`], all of one length.
pub(crate) struct Tensor<'a, T> {
    pub(crate) parameter: &'a mut [T],
    pub(crate) gradient: Gradient<'a, T>,
    pub(crate) state: [Option<&'a mut [T]>; MAX_BUFFERS],
}

/// An optimizer as the rest of the crate sees it: a name, a table and functions.
pub struct Definition {
    /// The name, as in the k-api.
    pub name: &'static str,
    /// The PyTorch class, if there is one.
    pub pytorch: Option<&'static str>,
    /// One sentence.
    pub about: &'static str,
    /// The option table, in positional order.
    pub options: &'static [OptionSpec],
    /// True if the state has a step count.
    pub counts_steps: bool,
    /// Keys of the state buffers.
    pub buffers: &'static [&'static str],
    /// Checks the rules over several options; the limit of each is checked by [`crate::parse`].
    pub check: fn(&[Value]) -> Result<()>,
    pub(crate) method: Method,
}

impl Definition {
    /// True if a step needs a closure that computes the loss.
    pub fn needs_closure(&self) -> bool {
        matches!(self.method, Method::Closure)
    }
}

/// How an optimizer makes a step.
pub(crate) enum Method {
    /// Each parameter by itself.
    Each(Each),
    /// All parameters as one vector, with a closure: L-BFGS.
    Closure,
}

/// The functions of a [`Rule`].
pub(crate) struct Each {
    pub(crate) fills: fn(&[Value]) -> Result<[Option<f64>; MAX_BUFFERS]>,
    pub(crate) wants_gradient_norm: fn(&[Value]) -> Result<bool>,
    pub(crate) update: fn(&[Value], &Step, &mut View<'_>, &mut Buffers) -> Result<()>,
}

type Buffers = [Option<Buffer>; MAX_BUFFERS];

/// The definition of a [`Rule`].
pub(crate) const fn each<R: Rule>() -> Definition {
    Definition {
        name: R::NAME,
        pytorch: R::PYTORCH,
        about: R::ABOUT,
        options: R::Options::SPECS,
        counts_steps: R::COUNTS_STEPS,
        buffers: R::BUFFERS,
        check: |row| R::check(&R::Options::from_row(row)?),
        method: Method::Each(Each {
            fills: |row| Ok(R::fills(&R::Options::from_row(row)?)),
            wants_gradient_norm: |row| Ok(R::wants_gradient_norm(&R::Options::from_row(row)?)),
            update: |row, step, view, buffers| {
                let options = R::Options::from_row(row)?;
                match view {
                    View::Float(..) => update::<R, f32>(&options, step, view, buffers),
                    View::Double(..) => update::<R, f64>(&options, step, view, buffers),
                }
                .ok_or_else(|| Error::new(Code::Internal, format!("{}: a state buffer is missing", R::NAME)))
            },
        }),
    }
}

fn update<R: Rule, T: Scalar>(
    options: &R::Options,
    step: &Step,
    view: &mut View<'_>,
    buffers: &mut Buffers,
) -> Option<()> {
    let state = buffers.each_mut().map(|buffer| buffer.as_mut().and_then(T::of_buffer));
    let (parameter, elements) = T::of_view(view)?;
    let gradient = Gradient { elements, prepare: step.prepare };
    R::update(options, step, Tensor { parameter, gradient, state })
}
