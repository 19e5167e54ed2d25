//! Products of matrices and vectors.

use stepwell_optim::{Code, Error, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Primitive, Reduce};
use crate::mathematics::tensor_math::{TensorMath, expected_dtype};
use crate::values::dtype::Dtype;

operations! { E,
    /// The product of matrices `[*, m, k]` and `[*, k, n]`; leading dimensions broadcast, and vectors are rows or columns.
    "matmul" (x: Tensor, y: Tensor) gradient 1 => |cx, given| {
        let [x, y] = pair(cx, given, 0)?;
        product(cx, &x, &y).map(Output::One)
    };
    /// The product of two matrices.
    "mm" (x: Tensor, y: Tensor) gradient 1 => |cx, given| ranked(cx, given, [2, 2]);
    /// The product of a matrix and a vector.
    "mv" (x: Tensor, y: Tensor) gradient 1 => |cx, given| ranked(cx, given, [2, 1]);
    /// The products of two lists of matrices, `[b, m, k]` and `[b, k, n]`.
    "bmm" (x: Tensor, y: Tensor) gradient 1 => |cx, given| ranked(cx, given, [3, 3]);
    /// The sum of the products of two vectors.
    "dot" (x: Tensor, y: Tensor) gradient 1 => |cx, given| ranked(cx, given, [1, 1]);
    /// The products of every element of x and every element of y, `[n, m]`.
    "outer" (x: Tensor, y: Tensor) gradient 1 => |cx, given| {
        let [x, y] = pair(cx, given, 0)?;
        require(cx, &x, &y, [1, 1])?;
        let n = cx.engine.shape(&x)?[0];
        cx.engine.binary(Binary::Mul, &cx.engine.with_shape(&x, &[n, 1])?, &y).map(Output::One)
    };
    /// x times y transposed.
    "mmt" (x: Tensor, y: Tensor) gradient 1 => |cx, given| {
        let [x, y] = pair(cx, given, 0)?;
        require(cx, &x, &y, [2, 2])?;
        product(cx, &x, &cx.engine.transpose(&y, 0, 1)?).map(Output::One)
    };
    /// x transposed times y.
    "mtm" (x: Tensor, y: Tensor) gradient 1 => |cx, given| {
        let [x, y] = pair(cx, given, 0)?;
        require(cx, &x, &y, [2, 2])?;
        product(cx, &cx.engine.transpose(&x, 0, 1)?, &y).map(Output::One)
    };
    /// beta z + alpha x y, of matrices x and y.
    "addmm" (z: Tensor, x: Tensor, y: Tensor, beta: Number = 1.0, alpha: Number = 1.0) gradient 1 =>
        |cx, given| added(cx, given, [2, 2]);
    /// beta z + alpha x y, of a matrix x and a vector y.
    "addmv" (z: Tensor, x: Tensor, y: Tensor, beta: Number = 1.0, alpha: Number = 1.0) gradient 1 =>
        |cx, given| added(cx, given, [2, 1]);
    /// beta z + alpha x y, of lists of matrices x and y.
    "baddbmm" (z: Tensor, x: Tensor, y: Tensor, beta: Number = 1.0, alpha: Number = 1.0) gradient 1 =>
        |cx, given| added(cx, given, [3, 3]);
    /// The sum of the diagonal of a matrix.
    "trace" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.counted(given.operand(0)?)?;
        let shape = cx.engine.shape(&x)?;
        let [rows, columns] = shape[..] else {
            return Err(Error::new(Code::Shape, format!("expected a matrix [rows, columns], given {shape:?}")));
        };
        let flat = cx.engine.with_shape(&x, &[rows * columns])?;
        let length = rows.min(columns);
        let diagonal = cx.engine.primitive(Primitive::Slice { dim: 0, start: 0, length, step: columns + 1 }, &[&flat])?;
        cx.engine.reduce(Reduce::Sum, &diagonal, &[0], false).map(Output::One)
    };
}

/// Two operands of one dtype, which is not `bool`.
fn pair<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, first: usize) -> Result<[E::Tensor; 2]> {
    let tensors = cx.promoted(&[given.operand(first)?, given.operand(first + 1)?], false)?;
    if cx.engine.dtype(&tensors[0])? == Dtype::Bool {
        return Err(expected_dtype("tensors of numbers", Dtype::Bool));
    }
    <[E::Tensor; 2]>::try_from(tensors).map_err(|_| Error::new(Code::Internal, "not two operands"))
}

/// Fails unless the tensors have these numbers of dimensions.
fn require<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, y: &E::Tensor, ranks: [usize; 2]) -> Result<()> {
    let (x, y) = (cx.engine.shape(x)?, cx.engine.shape(y)?);
    if [x.len(), y.len()] == ranks {
        return Ok(());
    }
    let [a, b] = ranks;
    Err(Error::new(Code::Shape, format!("expected tensors of {a} and {b} dimensions, given {x:?} and {y:?}")))
}

fn ranked<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, ranks: [usize; 2]) -> Result<Output<E>> {
    let [x, y] = pair(cx, given, 0)?;
    require(cx, &x, &y, ranks)?;
    let (left, right) = (cx.engine.shape(&x)?, cx.engine.shape(&y)?);
    if ranks == [3, 3] && left[0] != right[0] {
        return Err(Error::new(Code::Shape, format!("expected as many matrices, given {left:?} and {right:?}")));
    }
    product(cx, &x, &y).map(Output::One)
}

fn product<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, y: &E::Tensor) -> Result<E::Tensor> {
    let (left, right) = (cx.engine.shape(x)?, cx.engine.shape(y)?);
    let misfit =
        || Error::new(Code::Shape, format!("expected shapes [*, m, k] and [*, k, n], given {left:?} and {right:?}"));
    let (x_shape, y_shape) = match (&left[..], &right[..]) {
        ([], _) | (_, []) => return Err(misfit()),
        ([k], [n]) => (vec![1, *k], vec![*n, 1]),
        ([k], _) => (vec![1, *k], right.clone()),
        (_, [k]) => (left.clone(), vec![*k, 1]),
        _ => (left.clone(), right.clone()),
    };
    let (rows, inner) = (x_shape[x_shape.len() - 2], x_shape[x_shape.len() - 1]);
    let columns = y_shape[y_shape.len() - 1];
    if y_shape[y_shape.len() - 2] != inner {
        return Err(misfit());
    }
    let mut shape = batch(&x_shape[..x_shape.len() - 2], &y_shape[..y_shape.len() - 2]).ok_or_else(misfit)?;
    shape.extend([rows, columns]);
    cx.engine.check_memory(&shape, cx.engine.dtype(x)?)?;
    let x = if left.len() == 1 { cx.engine.with_shape(x, &x_shape)? } else { x.clone() };
    let y = if right.len() == 1 { cx.engine.with_shape(y, &y_shape)? } else { y.clone() };
    let result = cx.engine.primitive(Primitive::MatMul, &[&x, &y])?;
    let rank = shape.len();
    if right.len() == 1 {
        shape.remove(rank - 1);
    }
    if left.len() == 1 {
        shape.remove(rank - 2);
    }
    if shape.len() == rank { Ok(result) } else { cx.engine.with_shape(&result, &shape) }
}

/// The shape that leading dimensions broadcast to.
fn batch(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |of: &[usize], i: usize| (i + of.len()).checked_sub(rank).map_or(1, |i| of[i]);
    (0..rank)
        .map(|i| match (size(a, i), size(b, i)) {
            (a, b) if a == b || b == 1 => Some(a),
            (1, b) => Some(b),
            _ => None,
        })
        .collect()
}

fn added<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, ranks: [usize; 2]) -> Result<Output<E>> {
    let operands = [given.operand(0)?, given.operand(1)?, given.operand(2)?];
    let tensors = cx.promoted(&operands, false)?;
    let [z, x, y] = &tensors[..] else { return Err(Error::new(Code::Internal, "not three operands")) };
    if cx.engine.dtype(z)? == Dtype::Bool {
        return Err(expected_dtype("tensors of numbers", Dtype::Bool));
    }
    require(cx, x, y, ranks)?;
    let mut product = product(cx, x, y)?;
    let (expected, found) = (cx.engine.shape(&product)?, cx.engine.shape(z)?);
    if cx.engine.broadcast(&[z, &product])? != expected {
        return Err(Error::new(Code::Shape, format!("expected z that broadcasts to {expected:?}, given {found:?}")));
    }
    if given.number(4)? != 1.0 {
        product = cx.engine.with_number(Binary::Mul, &product, given.number(4)?)?;
    }
    let z = match given.number(3)? {
        1.0 => z.clone(),
        beta => cx.engine.with_number(Binary::Mul, z, beta)?,
    };
    cx.engine.binary(Binary::Add, &z, &product).map(Output::One)
}
