//! Images in another size: `input [n, c, *]` to `[n, c, *]`, over one to three dimensions.

use stepwell_optim::{Code, Error, Limit::*, OptionKind, OptionType, OptionValue, Result, options};

use crate::engine::Engine;
use crate::mathematics::interpolation::{Interpolation, MODES, interpolate};
use crate::nn::context::{ForwardContext, InitContext, MAX_WINDOW_SIZE, floating};
use crate::nn::layer::Layer;
use crate::nn::named_options::{NamedOptions, layers_of};

/// The word of a mode.
#[derive(Clone, Debug)]
pub(crate) struct Mode(String);

impl OptionType for Mode {
    const KIND: OptionKind = OptionKind::Word(MODES);
    fn from_value(value: &OptionValue) -> Option<Self> {
        if let OptionValue::Word(word) = value { Some(Mode(word.clone())) } else { None }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::Word(self.0)
    }
}

options! {
    /// Options of another size.
    pub(crate) struct UpsampleOptions {
        /// Size of the output, for all dimensions or for each; null with a scale.
        size: Option<Vec<usize>> = None, limit Closed(1.0, MAX_WINDOW_SIZE);
        /// Size of the output relative to the input; null with a size.
        scale: Option<Vec<f64>> = None, limit Above(0.0), alias "scale_factor";
        /// How elements are found between others.
        mode: Mode = Mode("nearest".into());
        /// Keep the centers of the corner elements, instead of the corners, for modes that are linear or cubic.
        align: Option<bool> = None, alias "align_corners";
    }
}

options! {
    /// Options of another size, and of its scale.
    pub(crate) struct InterpolateOptions {
        /// Size of the output, for all dimensions or for each; null with a scale.
        size: Option<Vec<usize>> = None, limit Closed(1.0, MAX_WINDOW_SIZE);
        /// Size of the output relative to the input; null with a size.
        scale: Option<Vec<f64>> = None, limit Above(0.0), alias "scale_factor";
        /// How elements are found between others.
        mode: Mode = Mode("nearest".into());
        /// Keep the centers of the corner elements, instead of the corners, for modes that are linear or cubic.
        align: Option<bool> = None, alias "align_corners";
        /// Compute the scale again from the rounded size.
        rescale: Option<bool> = None, alias "recompute_scale_factor";
    }
}

struct InterpolationLayer(Interpolation);

#[inline(never)]
fn make<E: Engine>(o: &NamedOptions<'_>, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    let (size, scale) = (o.numbers("size", o.length("size"))?, o.numbers("scale", o.length("scale"))?);
    if size.is_empty() == scale.is_empty() {
        let given = if size.is_empty() { "none" } else { "both" };
        return Err(Error::new(Code::Argument, format_args!("{}: expected a size or a scale, given {given}", o.owner)));
    }
    let size = size.into_iter().map(|size| size as usize).collect();
    let (mode, align, rescale) = (o.word("mode").to_owned(), o.flag("align"), o.flag("rescale") == Some(true));
    Ok(Box::new(InterpolationLayer(Interpolation { size, scale, mode, align, rescale })))
}

layers_of! {
    Upsample, "upsample", 0, UpsampleOptions, make, "An image in another size.";
    Interpolate, "interpolate", 0, InterpolateOptions, make, "An image in another size, with a scale that may be computed again.";
}

impl<E: Engine> Layer<E> for InterpolationLayer {
    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        floating(context.engine, input)?;
        interpolate(context.engine, input, &self.0)
    }
}
