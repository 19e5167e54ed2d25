//! Layers without tensors of their own: a function of inputs and options. A family of them is a table, and one type runs all.

use std::ops::RangeInclusive;

use stepwell_optim::{Code, Error, OptionValue, Result};

use crate::engine::Engine;
use crate::mathematics::activation::{Activation, activate};
use crate::nn::context::{ForwardContext, check_device, floating};
use crate::nn::layer::Layer;

/// The function of a layer: context, as many inputs as its row says, and options.
pub(crate) type LayerFunction<E> =
    fn(&mut ForwardContext<'_, E>, &[<E as Engine>::Tensor], &Settings) -> Result<<E as Engine>::Tensor>;

/// The checked options of a layer, by position in its row.
pub(crate) struct Settings(pub(crate) Vec<OptionValue>);

impl Settings {
    pub(crate) fn number(&self, index: usize) -> Result<f64> {
        match self.0.get(index) {
            Some(OptionValue::Float(number)) => Ok(*number),
            _ => Err(misread()),
        }
    }

    pub(crate) fn whole(&self, index: usize) -> Result<i64> {
        match self.0.get(index) {
            Some(OptionValue::Integer(number)) => Ok(*number),
            _ => Err(misread()),
        }
    }

    pub(crate) fn flag(&self, index: usize) -> bool {
        matches!(self.0.get(index), Some(OptionValue::Flag(true)))
    }

    /// The numbers of a list; none of null.
    pub(crate) fn numbers(&self, index: usize) -> &[f64] {
        match self.0.get(index) {
            Some(OptionValue::List(list)) => list,
            _ => &[],
        }
    }

    /// The whole numbers of a list; none of null.
    pub(crate) fn list(&self, index: usize) -> Vec<i64> {
        self.numbers(index).iter().map(|number| *number as i64).collect()
    }
}

fn misread() -> Error {
    Error::new(Code::Internal, "an option of another type than its row")
}

/// A layer that a row describes.
pub(crate) struct FunctionLayer<E: Engine> {
    pub(crate) inputs: usize,
    pub(crate) settings: Settings,
    pub(crate) function: LayerFunction<E>,
}

impl<E: Engine> Layer<E> for FunctionLayer<E> {
    fn inputs(&self) -> RangeInclusive<usize> {
        self.inputs..=self.inputs
    }

    fn forward_all(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        for input in &inputs[1..] {
            context.same_dtype(input, &inputs[0])?;
            check_device(context.engine, "inputs", input, context.engine.device(&inputs[0])?)?;
        }
        (self.function)(context, inputs, &self.settings).map(|output| vec![output])
    }
}

/// A layer that is an activation.
pub(crate) struct ActivationLayer<E: Engine> {
    pub(crate) settings: Settings,
    pub(crate) function: Activation<E>,
}

impl<E: Engine> Layer<E> for ActivationLayer<E> {
    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        floating(context.engine, input)?;
        let number = |index| match self.settings.0.get(index) {
            Some(OptionValue::Float(number)) => *number,
            Some(OptionValue::Integer(number)) => *number as f64,
            _ => f64::NAN,
        };
        activate(context.engine, input, [number(0), number(1)], self.function)
    }
}
