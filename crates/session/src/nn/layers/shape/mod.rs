//! Other shapes, and parts, of the input.

use stepwell_optim::Limit::*;

use crate::mathematics::shape;
use crate::nn::context::misfit;
use crate::nn::layer_kind::function_layers;
use crate::values::data::Data;
use crate::values::numbers::check_empty;

function_layers! { E,
    /// Several dimensions become one.
    "flatten" {
        /// First dimension; negative from the end.
        start: i64 = 1, alias "start_dim";
        /// Last dimension; negative from the end.
        end: i64 = -1, alias "end_dim";
    } => Function(1, |cx, x, o| {
        let shape = cx.engine.shape(&x[0])?;
        let dimension = |i: i64| if i < 0 { i + shape.len() as i64 } else { i };
        let (start, end) = (o.whole(0)?, o.whole(1)?);
        let (first, last) = (dimension(start), dimension(end));
        if first < 0 || last < first || last >= shape.len() as i64 {
            return Err(misfit(format_args!("with dimensions {start} to {end}"), &shape));
        }
        let (first, last) = (first as usize, last as usize);
        check_empty(&shape)?;
        let flat = shape[first..=last].iter().product();
        cx.engine.reshape(&x[0], &[&shape[..first], &[flat], &shape[last + 1..]].concat())
    });
    /// The elements in another shape.
    "reshape" {
        /// Sizes of the dimensions; one of them may be -1, which is computed.
        size: Vec<i64>, limit AtLeast(-1.0), alias "shape";
    } => Function(1, |cx, x, o| shape::reshape(cx.engine, &x[0], &o.list(0)));
    /// Without dimensions of size 1.
    "squeeze" {
        /// Dimensions that are left out if they have size 1; null for all.
        dim: Option<Vec<i64>> = None;
    } => Function(1, |cx, x, o| {
        let dims = o.list(0);
        shape::squeeze(cx.engine, &x[0], if dims.is_empty() { None } else { Some(&dims) })
    });
    /// With a new dimension of size 1.
    "unsqueeze" {
        /// Its place; negative from the end.
        dim: i64;
    } => Function(1, |cx, x, o| shape::unsqueeze(cx.engine, &x[0], o.whole(0)?));
    /// Two dimensions exchanged.
    "transpose" {
        /// One dimension; negative from the end.
        dim0: i64 = -2;
        /// The other one.
        dim1: i64 = -1;
    } => Function(1, |cx, x, o| shape::transpose(cx.engine, &x[0], o.whole(0)?, o.whole(1)?));
    /// The dimensions in another order.
    "permute" {
        /// Every dimension once.
        size: Vec<i64>, alias "dims";
    } => Function(1, |cx, x, o| shape::permute(cx.engine, &x[0], &o.list(0)));
    /// Dimensions of size 1 repeated.
    "expand" {
        /// Sizes of the dimensions; a size of -1 stays.
        size: Vec<i64>, limit AtLeast(-1.0), alias "shape";
    } => Function(1, |cx, x, o| {
        // A copy, since one memory location would stand for several elements.
        cx.engine.unshared(shape::expand(cx.engine, &x[0], &o.list(0))?, &[&x[0]])
    });
    /// The part at one index of a dimension, without that dimension.
    "select" {
        /// Dimension; negative from the end.
        dim: i64;
        /// Index; negative from the end.
        ind: i64, alias "index";
    } => Function(1, |cx, x, o| shape::select(cx.engine, &x[0], o.whole(0)?, o.whole(1)?));
    /// The parts at indices of a dimension.
    "indexselect" {
        /// Dimension; negative from the end.
        dim: i64;
        /// Indices from 0, in any order.
        ind: Vec<i64>, limit AtLeast(0.0), alias "index";
    } => Function(1, |cx, x, o| {
        let (engine, indices) = (cx.engine, o.list(1));
        let indices = engine.tensor(&Data::Long(indices.clone()), &[indices.len()], engine.device(&x[0])?)?;
        shape::indexselect(engine, &x[0], o.whole(0)?, &indices)
    });
}
