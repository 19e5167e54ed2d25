//! The traits of a layer and of its definition.

use std::ops::RangeInclusive;

use stepwell_optim::{Code, Error, Movable, OptionSet, Result};

use crate::engine::Engine;
use crate::nn::context::{ForwardContext, InitContext};
use crate::values::value::Value;

/// A module that is a part of a layer, in the forward pass of that layer.
pub(crate) trait Submodule<E: Engine>: Movable {
    fn forward(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>>;

    /// The modules that it holds itself.
    fn parts(&self) -> Vec<&dyn Submodule<E>>;
}

/// The parts of a layer.
pub(crate) type Parts<'a, E> = [&'a dyn Submodule<E>];

/// The first output of a part of a layer.
#[inline(never)]
pub(crate) fn run<E: Engine>(
    context: &mut ForwardContext<'_, E>,
    part: &dyn Submodule<E>,
    inputs: &[E::Tensor],
) -> Result<E::Tensor> {
    Ok(part.forward(context, inputs)?.swap_remove(0))
}

impl<E: Engine> InitContext<'_, E> {
    /// Adds a part of the layer, which is made after it.
    pub(crate) fn part(&mut self, name: &str, kind: &str, positional: &[f64], named: &[(&str, Value)]) {
        self.parts.push((name.to_owned(), specification(kind, positional, named)));
    }
}

/// The specification of a layer.
#[inline(never)]
pub(crate) fn specification(kind: &str, positional: &[f64], named: &[(&str, Value)]) -> Value {
    let mut list = vec![Value::string(kind)];
    list.extend(positional.iter().copied().map(Value::Number));
    list.push(Value::object(named.iter().cloned()));
    Value::Array(list)
}

/// The definition of a layer, which makes one from its options.
pub(crate) trait LayerDefinition {
    type Options: OptionSet;
    /// The name, as in the k-api.
    const NAME: &'static str;
    /// One sentence.
    #[cfg_attr(not(test), allow(dead_code, reason = "the SDK's types and texts are generated from it"))]
    const ABOUT: &'static str;

    fn make<E: Engine>(options: Self::Options, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>>;
}

/// A layer: its tensors and its forward calculation.
pub(crate) trait Layer<E: Engine>: Movable {
    /// Tensors that are trained, by name.
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        Vec::new()
    }

    /// Tensors that belong to the state but are not trained, by name.
    fn buffers(&self) -> Vec<(&str, &E::Tensor)> {
        Vec::new()
    }

    /// Parameters that a forward pass scales in place, by name.
    fn rescaled(&self) -> Vec<(&str, &E::Tensor)> {
        Vec::new()
    }

    /// How many inputs it takes.
    fn inputs(&self) -> RangeInclusive<usize> {
        1..=1
    }

    /// The output of a layer with one input. A layer with several, or with several outputs, has
    /// [`Layer::forward_all`] instead.
    fn forward(&self, _: &mut ForwardContext<'_, E>, _: &E::Tensor) -> Result<E::Tensor> {
        Err(Error::new(Code::Internal, "a layer without a forward pass of one input"))
    }

    /// The outputs for as many inputs as [`Layer::inputs`] allows.
    fn forward_all(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        self.forward(context, &inputs[0]).map(|output| vec![output])
    }

    /// As [`Layer::forward_all`], of a layer that consists of parts.
    fn forward_with(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &[E::Tensor],
        _: &Parts<'_, E>,
    ) -> Result<Vec<E::Tensor>> {
        self.forward_all(context, inputs)
    }

    /// Changes initial parameters of the layer and its parts, which are given with dotted names.
    fn initialise(&self, _: &mut InitContext<'_, E>, _: &[(String, E::Tensor)]) -> Result<()> {
        Ok(())
    }
}
