//! Elements around the last dimensions of the input.

pub(crate) mod interpolation;

use stepwell_optim::{Limit::*, OptionKind, OptionType, OptionValue, Result, options};

use crate::engine::Engine;
use crate::mathematics::padding::{Fill, pad};
use crate::nn::context::{ForwardContext, InitContext, MAX_WINDOW_SIZE};
use crate::nn::layer::Layer;
use crate::nn::named_options::{NamedOptions, layers_of};

/// The word of a fill.
#[derive(Clone, Debug)]
pub(crate) struct FillWord(String);

impl OptionType for FillWord {
    const KIND: OptionKind = OptionKind::Word(Fill::WORDS);
    fn from_value(value: &OptionValue) -> Option<Self> {
        if let OptionValue::Word(word) = value { Some(FillWord(word.clone())) } else { None }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::Word(self.0)
    }
}

options! {
    /// Options of any elements around a tensor.
    pub(crate) struct PadOptions {
        /// Two amounts for each dimension, one for each end, the last dimension first; a negative one removes elements.
        pad: Vec<i64>, limit Closed(-MAX_WINDOW_SIZE, MAX_WINDOW_SIZE);
        /// The elements that are added.
        mode: FillWord = FillWord("constant".into());
        /// The number that is added.
        value: f64 = 0.0;
    }
}

options! {
    /// Options of a number around a tensor.
    pub(crate) struct ConstantOptions {
        /// Two amounts for each dimension, one for each end, the last dimension first, or one for all; a negative one removes elements.
        pad: Vec<i64>, limit Closed(-MAX_WINDOW_SIZE, MAX_WINDOW_SIZE), alias "padding";
        /// The number that is added.
        value: f64 = 0.0;
    }
}

options! {
    /// Options of elements of a tensor around it.
    pub(crate) struct FillOptions {
        /// Two amounts for each dimension, one for each end, the last dimension first, or one for all; a negative one removes elements.
        pad: Vec<i64>, limit Closed(-MAX_WINDOW_SIZE, MAX_WINDOW_SIZE), alias "padding";
    }
}

struct PadLayer {
    amounts: Vec<i64>,
    fill: Fill,
}

/// The fill is the one of the option `mode`, if there is one.
fn make<E: Engine>(o: &NamedOptions<'_>, fill: Fill) -> Result<Box<dyn Layer<E>>> {
    // The general kind has as many amounts as are given.
    let count = if o.rank == 0 { o.length("pad") } else { 2 * o.rank };
    let amounts = o.numbers("pad", count)?.into_iter().map(|amount| amount as i64).collect();
    Ok(Box::new(PadLayer { amounts, fill }))
}

#[inline(never)]
fn constant<E: Engine>(o: &NamedOptions<'_>, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    make(o, Fill::of(o.word("mode"), o.number("value").unwrap_or(0.0)))
}

fn reflect<E: Engine>(o: &NamedOptions<'_>, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    make(o, Fill::Reflect)
}

fn replicate<E: Engine>(o: &NamedOptions<'_>, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    make(o, Fill::Replicate)
}

layers_of! {
    Pad, "pad", 0, PadOptions, constant, "Elements around the last dimensions.";
    Pad1d, "pad1d", 1, ConstantOptions, constant, "A number around the last dimension.";
    Pad2d, "pad2d", 2, ConstantOptions, constant, "A number around the last two dimensions.";
    Pad3d, "pad3d", 3, ConstantOptions, constant, "A number around the last three dimensions.";
    Reflect1d, "reflect1d", 1, FillOptions, reflect, "The mirrored elements around the last dimension.";
    Reflect2d, "reflect2d", 2, FillOptions, reflect, "The mirrored elements around the last two dimensions.";
    Replicate1d, "replicate1d", 1, FillOptions, replicate, "The end elements around the last dimension.";
    Replicate2d, "replicate2d", 2, FillOptions, replicate, "The end elements around the last two dimensions.";
    Replicate3d, "replicate3d", 3, FillOptions, replicate, "The end elements around the last three dimensions.";
    ZeroPad2d, "zeropad2d", 2, FillOptions, constant, "Zeros around the last two dimensions.";
}

impl<E: Engine> Layer<E> for PadLayer {
    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        pad(context.engine, input, &self.amounts, self.fill)
    }
}
