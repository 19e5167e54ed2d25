//! Diagonals of matrices.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::Primitive;
use crate::mathematics::calculation::{Calculation, calculated};
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

operations! { E,
    /// The diagonals of matrices in two dimensions, as the last dimension. A positive offset is above the main diagonal.
    "diagonal" (x: Tensor, offset: Whole = 0.0, dim1: Dim = 0.0, dim2: Dim = 1.0) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        let (a, b) = (cx.engine.dim(&x, given.whole(2)?)?, cx.engine.dim(&x, given.whole(3)?)?);
        taken(cx, &x, given.whole(1)?, a, b).map(Output::One)
    };
    /// The diagonal of a matrix; of a vector, the matrix with this diagonal.
    "diag" (x: Tensor, offset: Whole = 0.0) gradient 1 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        let shape = cx.engine.shape(&x)?;
        match shape.len() {
            1 => placed(cx, given),
            2 => taken(cx, &x, given.whole(1)?, 0, 1).map(Output::One),
            _ => Err(Error::new(Code::Shape, format_args!("expected a vector or a matrix, given shape {shape:?}"))),
        }
    };
    /// The square matrix whose diagonal has the elements in row-major order.
    "diagflat" (x: Tensor, offset: Whole = 0.0) gradient 1 => |cx, given| placed(cx, given);
}

fn taken<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, offset: i64, a: usize, b: usize) -> Result<E::Tensor> {
    let engine = cx.engine;
    let shape = engine.shape(x)?;
    if a == b || shape.len() < 2 {
        let message = format_args!("expected two different dimensions of shape {shape:?}, given {a} and {b}");
        return Err(Error::new(Code::Shape, message));
    }
    let mut order: Vec<_> = (0..shape.len()).filter(|dim| ![a, b].contains(dim)).collect();
    let mut sizes: Vec<_> = order.iter().map(|dim| shape[*dim]).collect();
    order.extend([a, b]);
    let (rows, columns) = (shape[a], shape[b]);
    let away = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
    let (start, length) = if offset >= 0 {
        (away, rows.min(columns.saturating_sub(away)))
    } else {
        (away.saturating_mul(columns), columns.min(rows.saturating_sub(away)))
    };
    let dim = sizes.len();
    sizes.push(rows.saturating_mul(columns));
    let (start, step) = (if length == 0 { 0 } else { start }, columns + 1);
    calculated(engine, &|c| {
        let flat = c.with_shape(c.permuted(c.input(x), &order), &sizes);
        c.primitive(Primitive::Slice { dim, start, length, step }, &[flat])
    })
}

fn placed<E: Engine>(cx: &Context<'_, E>, given: &Given<E>) -> Result<Output<E>> {
    let engine = cx.engine;
    let x = cx.tensor(given.operand(0)?)?;
    let (dtype, offset) = (engine.dtype(&x)?, given.whole(1)?);
    let count: usize = engine.shape(&x)?.iter().product();
    let away = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
    let size = count.saturating_add(away);
    engine.check_memory(&[size, size], dtype)?;
    // No engine adds truth values.
    let wide = if dtype == Dtype::Bool { Dtype::Long } else { dtype };
    let start = if offset >= 0 { away } else { away * size };
    let places = collected((0..count).map(|i| (start + i * (size + 1)) as i64))?;
    let zeros = engine.full(&Data::Long(vec![0]).cast(wide)?, &[size * size], engine.device(&x)?)?;
    let c = Calculation::new(engine);
    let x = c.cast(c.with_shape(c.input(&x), &[count]), wide);
    let places = c.tensor(x, Data::Long(places), &[count]);
    let flat = c.primitive(Primitive::ScatterAdd(0), &[c.input(&zeros), places, x]);
    c.result(c.cast(c.with_shape(flat, &[size, size]), dtype)).map(Output::One)
}
