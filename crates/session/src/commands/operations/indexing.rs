//! Elements by index. Indices are `long` tensors or whole numbers, from 0.

use stepwell_optim::{Code, Error, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Primitive};
use crate::mathematics::one_hot::one_hot;
use crate::mathematics::shape;
use crate::mathematics::tensor_math::{TensorMath, expected_dtype};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

operations! { E,
    /// Elements along a dimension at indices `[n]`.
    "indexselect" as "index_select" (x: Tensor, dim: Dim, indices: Tensor) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        let indices = cx.indices(given.operand(2)?, &x)?;
        shape::indexselect(cx.engine, &x, given.whole(1)?, &indices).map(Output::One)
    };
    /// The part of a tensor at one index of a dimension, without that dimension.
    "select" (x: Tensor, dim: Dim, index: Whole) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        shape::select(cx.engine, &x, given.whole(1)?, given.whole(2)?).map(Output::One)
    };
    /// The part at one index of a dimension, as `select`, or at several, as `indexselect`; negative ones count from the last.
    "index" as "index_select" (x: Tensor, dim: Dim, indices: Tensor) gradient 1 => |cx, given| {
        let (engine, x) = (cx.engine, cx.tensor(given.operand(0)?)?);
        let indices = cx.indices(given.operand(2)?, &x)?;
        let (mut shape, given_shape) = (engine.shape(&x)?, engine.shape(&indices)?);
        let dim = engine.dim(&x, given.whole(1)?)?;
        if given_shape.len() > 1 || shape.is_empty() {
            let message = format_args!("expected an index or indices [n] into a dimension, given {given_shape:?} for shape {shape:?}");
            return Err(Error::new(Code::Shape, message));
        }
        let count = given_shape.iter().product();
        let size = shape[dim] as f64;
        shape[dim] = count;
        engine.check_memory(&shape, engine.dtype(&x)?)?;
        if given_shape.is_empty() {
            shape.remove(dim);
        }
        cx.calculated(&|c| {
            let indices = c.input(&indices);
            let is_negative = c.compare_number(Compare::Lt, indices, 0.0);
            let counted = c.with_number(Binary::Add, indices, size);
            let indices = c.with_shape(c.choose(is_negative, counted, indices), &[count]);
            let parts = c.primitive(Primitive::IndexSelect(dim), &[c.input(&x), indices]);
            Ok(if given_shape.is_empty() { c.with_shape(parts, &shape) } else { parts })
        })
    };
    /// At each position of the indices, the element with that index along a dimension.
    "gather" (x: Tensor, dim: Dim, indices: Tensor) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        let indices = cx.indices(given.operand(2)?, &x)?;
        let dim = cx.engine.dim(&x, given.whole(1)?)?;
        within(cx, "indices", &indices, &x, Some(dim))?;
        cx.one(Primitive::Gather(dim), &[&x, &indices])
    };
    /// x with each element of the source added at its index along a dimension.
    "scatteradd" as "scatter_add" (x: Tensor, dim: Dim, indices: Tensor, source: Tensor) gradient 1 => |cx, given| {
        let tensors = cx.promoted(&[given.operand(0)?, given.operand(3)?], false)?;
        let [x, source] = &tensors[..] else { return Err(Error::new(Code::Internal, "not two operands")) };
        if cx.engine.dtype(x)? == Dtype::Bool {
            return Err(expected_dtype("tensors of numbers", Dtype::Bool));
        }
        let indices = cx.indices(given.operand(2)?, x)?;
        let dim = cx.engine.dim(x, given.whole(1)?)?;
        within(cx, "indices", &indices, x, Some(dim))?;
        within(cx, "indices", &indices, source, None)?;
        cx.one(Primitive::ScatterAdd(dim), &[x, &indices, source])
    };
    /// A value where the mask is true, else elements of x.
    "maskedfill" as "masked_fill" (x: Tensor, mask: Tensor, value: Number) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        let mask = cx.tensor(given.operand(1)?)?;
        match cx.engine.dtype(&mask)? {
            Dtype::Bool => {
                cx.engine.dtype(&x)?.check_holds(given.number(2)?)?;
                cx.engine.choose(&mask, &cx.engine.number_like(&x, given.number(2)?)?, &x).map(Output::One)
            }
            dtype => Err(expected_dtype("a mask of dtype bool", dtype)),
        }
    };
    /// Classes `[*]`, from 0 to n - 1, as rows `[*, n]` of zeros with a 1, of dtype long.
    "onehot" as "nn.functional.one_hot" (x: Tensor, n: Whole) no_gradient 1 => |cx, given| {
        let classes = given.operand(0)?;
        let like = cx.engine.full(&Data::Long(vec![0]), &[], cx.device)?;
        let classes = cx.indices(classes, &like)?;
        let n = given.size(1)?;
        cx.engine.cast(one_hot(cx.engine, &classes, n)?, Dtype::Long).map(Output::One)
    };
}

/// Fails unless a tensor is as large as another at most, except along a dimension.
fn within<E: Engine>(
    cx: &Context<'_, E>,
    what: &str,
    small: &E::Tensor,
    large: &E::Tensor,
    except: Option<usize>,
) -> Result<()> {
    let (small, large) = (cx.engine.shape(small)?, cx.engine.shape(large)?);
    let fits = small.len() == large.len()
        && small.iter().zip(&large).enumerate().all(|(i, (small, large))| except == Some(i) || small <= large);
    if fits {
        return Ok(());
    }
    Err(Error::new(Code::Shape, format_args!("expected {what} that fit shape {large:?}, given {small:?}")))
}
