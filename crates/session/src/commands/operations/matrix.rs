//! Products of matrices and vectors.

use stepwell_optim::{Code, Error, Result, Results, joined};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::commands::operations::shape::rolled;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Primitive, Reduce};
use crate::mathematics::bilinear::bilinear;
use crate::mathematics::calculation::Calculation;
use crate::mathematics::matrix::product;
use crate::mathematics::tensor_math::{TensorMath, dim_of, expected_dtype};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

operations! { E,
    /// The product of matrices `[*, m, k]` and `[*, k, n]`; leading dimensions broadcast, and vectors are rows or columns.
    "matmul" (x: Tensor, y: Tensor) gradient 1 => |cx, given| {
        let [x, y] = pair(cx, given, 0)?;
        product(cx.engine, &x, &y).map(Output::One)
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
        outer(cx.engine, &x, &y).map(Output::One)
    };
    /// x times y transposed.
    "mmt" (x: Tensor, y: Tensor) gradient 1 => |cx, given| {
        let [x, y] = pair(cx, given, 0)?;
        require(cx, &x, &y, [2, 2])?;
        product(cx.engine, &x, &cx.engine.transpose(&y, 0, 1)?).map(Output::One)
    };
    /// x transposed times y.
    "mtm" (x: Tensor, y: Tensor) gradient 1 => |cx, given| {
        let [x, y] = pair(cx, given, 0)?;
        require(cx, &x, &y, [2, 2])?;
        product(cx.engine, &cx.engine.transpose(&x, 0, 1)?, &y).map(Output::One)
    };
    /// beta z + alpha x y, of matrices x and y.
    "addmm" (z: Tensor, x: Tensor, y: Tensor, beta: Number = 1.0, alpha: Number = 1.0) gradient 1 =>
        |cx, given| added(cx, given, [2, 2], product);
    /// beta z + alpha x y, of a matrix x and a vector y.
    "addmv" (z: Tensor, x: Tensor, y: Tensor, beta: Number = 1.0, alpha: Number = 1.0) gradient 1 =>
        |cx, given| added(cx, given, [2, 1], product);
    /// beta z + alpha x y, of lists of matrices x and y.
    "baddbmm" (z: Tensor, x: Tensor, y: Tensor, beta: Number = 1.0, alpha: Number = 1.0) gradient 1 =>
        |cx, given| added(cx, given, [3, 3], product);
    /// beta z + alpha times the sum of the products of lists of matrices x and y.
    "addbmm" (z: Tensor, x: Tensor, y: Tensor, beta: Number = 1.0, alpha: Number = 1.0) gradient 1 =>
        |cx, given| added(cx, given, [3, 3], |engine, x, y| engine.reduce(Reduce::Sum, &product(engine, x, y)?, &[0], false));
    /// beta z + alpha times the products of every element of x and every element of y.
    "addr" (z: Tensor, x: Tensor, y: Tensor, beta: Number = 1.0, alpha: Number = 1.0) gradient 1 =>
        |cx, given| added(cx, given, [1, 1], outer);
    /// The product of matrices in the order with the fewest multiplications. The first may be a row, and the last a column.
    "multidot" as "linalg.multi_dot" (tensors: Tensors) gradient 1 => |cx, given| {
        let tensors = cx.promoted(&given.operands(0)?.iter().collect::<Vec<_>>(), false)?;
        chain(cx, &tensors).map(Output::One)
    };
    /// Sums of products over dimensions `dim1` of x and `dim2` of y; without `dim2` over the last `dim1` of x and the first of y.
    "tensordot" (x: Tensor, y: Tensor, dim1: Dims = 2.0, dim2: Dims = null) gradient 1 => |cx, given| {
        let [x, y] = pair(cx, given, 0)?;
        contracted(cx, &x, &y, given.list(2).unwrap_or_default(), given.list(3)).map(Output::One)
    };
    /// The cross products of vectors of 3 elements along a dimension.
    "cross" as "linalg.cross" (x: Tensor, y: Tensor, dim: Dim = minus_one) gradient 1 => |cx, given| {
        let [x, y] = pair(cx, given, 0)?;
        let (left, right, dim) = (cx.engine.shape(&x)?, cx.engine.shape(&y)?, cx.engine.dim(&x, given.whole(2)?)?);
        if left.len() != right.len() || left.get(dim) != Some(&3) || right.get(dim) != Some(&3) {
            let message =
                format_args!("expected tensors of as many dimensions with size 3 in dimension {dim}, given {left:?} and {right:?}");
            return Err(Error::new(Code::Shape, message));
        }
        cx.calculated(&|c| {
            let rolled = |x: &E::Tensor, shift| c.output(rolled(cx, x, dim, shift));
            let product = |a, b| c.checked_binary(Binary::Mul, rolled(&x, a), rolled(&y, b));
            Ok(c.binary(Binary::Sub, product(-1, -2), product(-2, -1)))
        })
    };
    /// Inputs `[*, i]` and `[*, j]` with a weight `[o, i, j]` and a bias `[o]`: `[*, o]`, linear in each input.
    "bilinear" as "nn.functional.bilinear" (x: Tensor, y: Tensor, weight: Tensor, bias: Tensor = null) gradient 1 => |cx, given| {
        let mut operands = vec![given.operand(0)?, given.operand(1)?, given.operand(2)?];
        operands.extend(given.operand_or_none(3));
        let tensors = cx.promoted(&operands, true)?;
        let [x, y, weight, ..] = &tensors[..] else { return Err(Error::new(Code::Internal, "not three operands")) };
        bilinear(cx.engine, x, y, weight, tensors.get(3)).map(Output::One)
    };
    /// x `[*, in]` times a weight `[out, in]` transposed, plus a bias `[out]`.
    "linear" as "nn.functional.linear" (x: Tensor, weight: Tensor, bias: Tensor = null) gradient 1 => |cx, given| {
        let operands: Vec<_> = [given.operand(0)?, given.operand(1)?].into_iter().chain(given.operand_or_none(2)).collect();
        let tensors = cx.promoted(&operands, true)?;
        let shapes = tensors.iter().map(|tensor| cx.engine.shape(tensor)).values()?;
        match (&shapes[0][..], &shapes[1][..], shapes.get(2)) {
            ([leading @ .., inputs], [outputs, expected], bias)
                if inputs == expected && bias.is_none_or(|bias| *bias == [*outputs]) =>
            {
                cx.engine.check_memory(&[leading, &[*outputs]].concat(), cx.engine.dtype(&tensors[0])?)?;
                cx.engine.linear(&tensors[0], &tensors[1], tensors.get(2)).map(Output::One)
            }
            _ => {
                let given: Vec<_> = shapes.iter().map(|shape| format!("{shape:?}")).collect();
                let message = format_args!("expected shapes [*, in], [out, in] and [out], given {}", joined(&given, ", "));
                Err(Error::new(Code::Shape, message))
            }
        }
    };
    /// The sum of the diagonal of a matrix.
    "trace" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.counted(given.operand(0)?)?;
        let shape = cx.engine.shape(&x)?;
        let [rows, columns] = shape[..] else {
            return Err(Error::new(Code::Shape, format_args!("expected a matrix [rows, columns], given {shape:?}")));
        };
        cx.calculated(&|c| {
            let flat = c.with_shape(c.input(&x), &[rows * columns]);
            let length = rows.min(columns);
            Ok(c.sum(c.primitive(Primitive::Slice { dim: 0, start: 0, length, step: columns + 1 }, &[flat]), 0))
        })
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
    Err(Error::new(Code::Shape, format_args!("expected tensors of {a} and {b} dimensions, given {x:?} and {y:?}")))
}

fn ranked<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, ranks: [usize; 2]) -> Result<Output<E>> {
    let [x, y] = pair(cx, given, 0)?;
    require(cx, &x, &y, ranks)?;
    let (left, right) = (cx.engine.shape(&x)?, cx.engine.shape(&y)?);
    if ranks == [3, 3] && left[0] != right[0] {
        return Err(Error::new(Code::Shape, format_args!("expected as many matrices, given {left:?} and {right:?}")));
    }
    product(cx.engine, &x, &y).map(Output::One)
}

/// The products of the elements of two vectors.
fn outer<E: Engine>(engine: &E, x: &E::Tensor, y: &E::Tensor) -> Result<E::Tensor> {
    let n = engine.shape(x)?.iter().product();
    engine.binary(Binary::Mul, &engine.with_shape(x, &[n, 1])?, y)
}

/// The product of a list of matrices, in the order with the fewest multiplications.
fn chain<E: Engine>(cx: &Context<'_, E>, tensors: &[E::Tensor]) -> Result<E::Tensor> {
    let count = tensors.len();
    let mut sizes = Vec::new();
    for (i, tensor) in tensors.iter().enumerate() {
        let shape = cx.engine.shape(tensor)?;
        let (rows, columns) = match shape[..] {
            [rows, columns] => (rows, columns),
            [columns] if i == 0 && count > 1 => (1, columns),
            [rows] if i == count - 1 && count > 1 => (rows, 1),
            _ => {
                let message = format_args!("expected a list of matrices, given one of shape {shape:?}");
                return Err(Error::new(Code::Shape, message));
            }
        };
        if i == 0 {
            sizes.push(rows as f64);
        }
        sizes.push(columns as f64);
    }
    if count < 2 || cx.engine.dtype(&tensors[0])? == Dtype::Bool {
        return Err(Error::new(Code::Argument, "expected a list of at least two matrices of numbers"));
    }
    // At [i * count + k]: the fewest multiplications of the matrices from i to k, and the last matrix of their left part.
    let mut least = vec![(0.0, 0); count * count];
    for length in 1..count {
        for i in 0..count - length {
            let k = i + length;
            let mut best = (f64::INFINITY, i);
            for j in i..k {
                let own = sizes[i] * sizes[j + 1] * sizes[k + 1];
                let all = least[i * count + j].0 + least[(j + 1) * count + k].0 + own;
                if all < best.0 {
                    best = (all, j);
                }
            }
            least[i * count + k] = best;
        }
    }
    part(cx, tensors, &least, 0, count - 1)
}

/// The product of the matrices from `i` to `k`.
fn part<E: Engine>(
    cx: &Context<'_, E>,
    tensors: &[E::Tensor],
    least: &[(f64, usize)],
    i: usize,
    k: usize,
) -> Result<E::Tensor> {
    if i == k {
        return Ok(tensors[i].clone());
    }
    let j = least[i * tensors.len() + k].1;
    product(cx.engine, &part(cx, tensors, least, i, j)?, &part(cx, tensors, least, j + 1, k)?)
}

fn contracted<E: Engine>(
    cx: &Context<'_, E>,
    x: &E::Tensor,
    y: &E::Tensor,
    first: &[i64],
    second: Option<&[i64]>,
) -> Result<E::Tensor> {
    let engine = cx.engine;
    let (left, right) = (engine.shape(x)?, engine.shape(y)?);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    match (first, second) {
        (&[count], None) if usize::try_from(count).is_ok_and(|count| count <= left.len().min(right.len())) => {
            let count = count as usize;
            a.extend(left.len() - count..left.len());
            b.extend(0..count);
        }
        _ => {
            for dim in first {
                a.push(dim_of(&left, *dim)?);
            }
            for dim in second.unwrap_or_default() {
                b.push(dim_of(&right, *dim)?);
            }
        }
    }
    let (mut fits, mut inner) = (a.len() == b.len(), 1);
    for i in 0..a.len().min(b.len()) {
        let size = left.get(a[i]).copied();
        fits &=
            size.is_some() && size == right.get(b[i]).copied() && !a[..i].contains(&a[i]) && !b[..i].contains(&b[i]);
        inner *= size.unwrap_or(0);
    }
    if !fits {
        let second = second.unwrap_or(first);
        let message = format_args!(
            "expected as many dimensions of equal sizes, given {first:?} and {second:?} of shapes {left:?} and {right:?}"
        );
        return Err(Error::new(Code::Shape, message));
    }
    // The dimensions of x that stay come before its other ones, and the ones of y that stay come last.
    let (mut shape, mut order, mut sizes) = (Vec::new(), Vec::new(), [1, 1]);
    for (side, (given, bound)) in [(&left, &a), (&right, &b)].into_iter().enumerate() {
        let mut free = Vec::new();
        for (dim, size) in given.iter().enumerate() {
            if !bound.contains(&dim) {
                free.push(dim);
                shape.push(*size);
                sizes[side] *= size;
            }
        }
        order.push(free);
    }
    let c = Calculation::new(engine);
    let x = c.with_shape(c.permuted(c.input(x), &[&order[0][..], &a].concat()), &[sizes[0], inner]);
    let y = c.with_shape(c.permuted(c.input(y), &[&b[..], &order[1]].concat()), &[inner, sizes[1]]);
    engine.with_shape(&product(engine, &c.result(x)?, &c.result(y)?)?, &shape)
}

/// A product of two tensors.
type Product<E> = fn(&E, &<E as Engine>::Tensor, &<E as Engine>::Tensor) -> Result<<E as Engine>::Tensor>;

/// beta z + alpha times a product of x and y.
fn added<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, ranks: [usize; 2], of: Product<E>) -> Result<Output<E>> {
    let operands = [given.operand(0)?, given.operand(1)?, given.operand(2)?];
    let tensors = cx.promoted(&operands, false)?;
    let [z, x, y] = &tensors[..] else { return Err(Error::new(Code::Internal, "not three operands")) };
    if cx.engine.dtype(z)? == Dtype::Bool {
        return Err(expected_dtype("tensors of numbers", Dtype::Bool));
    }
    require(cx, x, y, ranks)?;
    let product = of(cx.engine, x, y)?;
    let (expected, found) = (cx.engine.shape(&product)?, cx.engine.shape(z)?);
    if cx.engine.broadcast(&[z, &product])? != expected {
        return Err(Error::new(
            Code::Shape,
            format_args!("expected z that broadcasts to {expected:?}, given {found:?}"),
        ));
    }
    cx.calculated(&|c| {
        let (mut product, z) = (c.input(&product), c.input(z));
        if given.number(4)? != 1.0 {
            product = c.with_number(Binary::Mul, product, given.number(4)?);
        }
        let z = match given.number(3)? {
            1.0 => z,
            // NaN and infinity in z do not spread.
            0.0 => c.choose(c.tensor(z, Data::Bool(vec![false]), &[]), z, c.number(z, 0.0)),
            beta => c.with_number(Binary::Mul, z, beta),
        };
        Ok(c.binary(Binary::Add, z, product))
    })
}
