//! Images of another size, whose elements are interpolated between the nearest ones.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Number, Result, Results, joined};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Primitive};
use crate::mathematics::calculation::{Calculation, calculated};
use crate::mathematics::convolution::letters;
use crate::mathematics::pooling::{Function, Pool, pool};
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// The words of the modes, of which the first one is the default. The ones of one to three dimensions are one method each.
pub(crate) const MODES: &[&str] = &["nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearestexact"];

/// The size of the output, and how elements are found.
#[derive(Clone, Debug)]
pub(crate) struct Interpolation {
    /// One size for all dimensions of an image or one for each; none if `scale` is given.
    pub(crate) size: Vec<usize>,
    /// One factor of the sizes or one for each dimension.
    pub(crate) scale: Vec<f64>,
    /// One of [`MODES`].
    pub(crate) mode: String,
    /// Whether the centers of the corner elements stay where they are, and not the corners of the image.
    pub(crate) align: Option<bool>,
    /// Whether the factor is computed from the sizes again, which are rounded.
    pub(crate) rescale: bool,
}

/// How a position of the output is found in the input, along one dimension.
struct Axis {
    size: usize,
    out: usize,
    /// The distance of two elements of the output, in elements of the input.
    step: f64,
    align: bool,
}

/// The image `[n, c, *]` in another size.
///
/// # Errors
/// [`Code::Argument`] for options that do not fit the mode or the shape; [`Code::Shape`] for another number of dimensions.
pub(crate) fn interpolate<E: Engine>(engine: &E, x: &E::Tensor, options: &Interpolation) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let mode = &*options.mode;
    let rank = shape.len().wrapping_sub(2);
    let expected: &[usize] = match mode {
        "linear" => &[1],
        "bilinear" | "bicubic" => &[2],
        "trilinear" => &[3],
        _ => &[1, 2, 3],
    };
    if !expected.contains(&rank) || shape[1..].contains(&0) {
        let shapes: Vec<_> = expected.iter().map(|rank| format!("[n, c, {}]", letters(*rank))).collect();
        let message = format_args!(
            "expected input of shape {} with elements for mode {mode}, given {shape:?}",
            joined(&shapes, " or ")
        );
        return Err(Error::new(Code::Shape, message));
    }
    let is_smooth = matches!(mode, "linear" | "bilinear" | "bicubic" | "trilinear");
    if options.align.is_some() && !is_smooth {
        let message =
            format_args!("expected align for linear, bilinear, bicubic or trilinear alone, given mode {mode}");
        return Err(Error::new(Code::Argument, message));
    }
    let is_align = options.align == Some(true);
    let axes = (0..rank).map(|i| axis(options, shape[i + 2], i, rank, is_align)).values()?;
    let mut sizes = shape.clone();
    axes.iter().zip(&mut sizes[2..]).for_each(|(axis, size)| *size = axis.out);
    sizes[0] = sizes[0].max(1);
    engine.check_memory(&sizes, engine.dtype(x)?)?;
    if mode == "area" {
        let size = axes.iter().map(|axis| axis.out).collect();
        return pool(engine, x, &Pool::adaptive(Function::AdaptiveMean, size));
    }
    let mut y = x.clone();
    for (i, axis) in axes.iter().enumerate() {
        // Before the smaller dimensions shrink, there may be more elements.
        let mut grown = engine.shape(&y)?;
        grown[i + 2] = axis.out;
        engine.check_memory(&grown, engine.dtype(x)?)?;
        y = match mode {
            "bicubic" => axis.mixed(engine, &y, i + 2, true)?,
            _ if is_smooth => axis.mixed(engine, &y, i + 2, false)?,
            _ => axis.nearest(engine, &y, i + 2, mode == "nearestexact")?,
        };
    }
    Ok(y)
}

/// The axis of dimension `i` of the image.
fn axis(options: &Interpolation, size: usize, i: usize, rank: usize, align: bool) -> Result<Axis> {
    let (sizes, scales) = (&options.size, &options.scale);
    let fits = |count: usize| count == 1 || count == rank;
    match (sizes.len(), scales.len()) {
        (count, 0) if fits(count) && !options.rescale => {
            let out = sizes[i % count];
            Ok(Axis::new(size, out, None, align))
        }
        (count, 0) if fits(count) => Err(Error::new(Code::Argument, "expected a scale with rescale, given a size")),
        (0, count) if fits(count) => {
            let scale = scales[i % count];
            let out = (size as f64 * scale).floor();
            if !(1.0..=f64::from(i32::MAX)).contains(&out) {
                let message =
                    format_args!("expected a scale that gives a size from 1 to 2147483647, given {}", Number(scale));
                return Err(Error::new(Code::Argument, message));
            }
            Ok(Axis::new(size, out as usize, Some(scale).filter(|_| !options.rescale), align))
        }
        (count, other) => {
            let message = format_args!("expected one size or scale, or {rank}, given {}", count.max(other));
            Err(Error::new(Code::Argument, message))
        }
    }
}

impl Axis {
    fn new(size: usize, out: usize, scale: Option<f64>, align: bool) -> Self {
        let step = match scale {
            _ if align && out > 1 => (size - 1) as f64 / (out - 1) as f64,
            _ if align => 0.0,
            Some(scale) => 1.0 / scale,
            None => size as f64 / out as f64,
        };
        Self { size, out, step, align }
    }

    /// Where the element `i` of the output is in the input. As in PyTorch, in single precision but for `double`.
    fn position(&self, i: usize, offsets: [f64; 2], dtype: Dtype) -> f64 {
        let round = |x: f64| if dtype == Dtype::Double { x } else { f64::from(x as f32) };
        round(round((i as f64 + offsets[0]) * round(self.step)) - offsets[1])
    }

    /// The nearest element, or the one at the center of the output's element.
    fn nearest<E: Engine>(&self, engine: &E, x: &E::Tensor, dim: usize, exact: bool) -> Result<E::Tensor> {
        let (offset, dtype) = (if exact { 0.5 } else { 0.0 }, engine.dtype(x)?);
        let index = |i: usize| (self.position(i, [offset, 0.0], dtype) as i64).min(self.size as i64 - 1);
        let indices = collected((0..self.out).map(index))?;
        calculated(engine, &|c| {
            let x = c.input(x);
            c.primitive(Primitive::IndexSelect(dim), &[x, c.tensor(x, Data::Long(indices.clone()), &[self.out])])
        })
    }

    /// The mean of the two nearest elements with weights that are linear, or of four with weights that are cubic.
    fn mixed<E: Engine>(&self, engine: &E, x: &E::Tensor, dim: usize, cubic: bool) -> Result<E::Tensor> {
        let (offset, dtype) = (if self.align { 0.0 } else { 0.5 }, engine.dtype(x)?);
        let position = |i: usize| {
            let position = self.position(i, [offset, offset], dtype);
            if cubic { position } else { position.max(0.0) }
        };
        let mut shape = vec![1; engine.shape(x)?.len()];
        shape[dim] = self.out;
        let last = self.size as i64 - 1;
        let c = Calculation::new(engine);
        let x = c.input(x);
        let mut total = None;
        for tap in if cubic { -1..3 } else { 0..2 } {
            let index = |i: usize| {
                let floor = position(i).floor();
                (if cubic { floor } else { floor.min(last as f64) }) as i64
            };
            let indices = collected((0..self.out).map(|i| (index(i) + tap).clamp(0, last)))?;
            let weights = collected((0..self.out).map(|i| weight(position(i) - index(i) as f64 - tap as f64, cubic)))?;
            let weights = c.tensor(x, Data::Double(weights), &shape);
            let indices = c.tensor(x, Data::Long(indices), &[self.out]);
            let part = c.binary(Binary::Mul, c.primitive(Primitive::IndexSelect(dim), &[x, indices]), weights);
            total = Some(match total {
                Some(total) => c.binary(Binary::Add, total, part),
                None => part,
            });
        }
        c.result(total.unwrap_or(x))
    }
}

/// The weight of an element at a distance.
fn weight(distance: f64, cubic: bool) -> f64 {
    /// The parameter of Keys' kernel, as in PyTorch.
    const A: f64 = -0.75;
    let x = distance.abs();
    match cubic {
        false => 1.0 - x.min(1.0),
        true if x <= 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        true => ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A,
    }
}
