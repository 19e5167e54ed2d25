//! Linear algebra: determinants, inverses, decompositions and solvers. Matrices are the last two dimensions.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Number, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::linear_algebra::LinearAlgebra::*;
use crate::engine::linear_algebra::{LinearAlgebra, LinearOptions};
use crate::engine::primitives::{Primitive, Reduce, Unary};
use crate::mathematics::calculation::calculated;
use crate::mathematics::matrix::product;
use crate::mathematics::norm::norm;
use crate::mathematics::tensor_math::{TensorMath, expected_dtype};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

operations! { E,
    /// The determinants of square matrices. Native engine alone.
    "det" (x: Tensor) gradient 1 => |cx, given| apply(cx, given, Determinant, SQUARE, PLAIN);
    /// The logarithms of determinants; NaN for a negative one. Native engine alone.
    "logdet" (x: Tensor) gradient 1 => |cx, given| apply(cx, given, LogDeterminant, SQUARE, PLAIN);
    /// The signs of determinants, and the logarithms of their absolute values. Native engine alone.
    "slogdet" (x: Tensor) gradient 2 => |cx, given| apply(cx, given, SignLogDeterminant, SQUARE, PLAIN);
    /// The ranks of matrices: singular values above both tolerances count. Native engine alone.
    "mrank" as "linalg.matrix_rank" (x: Tensor, atol: Number = null, rtol: Number = null, hermitian: Flag = false)
        no_gradient 1 => |cx, given| apply(cx, given, Rank, MATRIX, PLAIN);
    /// The inverses of square matrices. Native engine alone.
    "inverse" as "linalg.inv" (x: Tensor) gradient 1 => |cx, given| apply(cx, given, Inverse, SQUARE, PLAIN);
    /// The pseudo-inverses of matrices: singular values above both tolerances count. Native engine alone.
    "pinverse" as "linalg.pinv" (x: Tensor, atol: Number = null, rtol: Number = null, hermitian: Flag = false)
        gradient 1 => |cx, given| apply(cx, given, PseudoInverse, MATRIX, PLAIN);
    /// z of x z = y, for square matrices x and vectors or matrices y. Native engine alone.
    "solve" as "linalg.solve" (x: Tensor, y: Tensor) gradient 1 => |cx, given| apply(cx, given, Solve, "square, any", PLAIN);
    /// z of x z = y for triangular x, or of z x = y unless `left`. Native engine alone.
    "trisolve" as "linalg.solve_triangular"
        (x: Tensor, y: Tensor, upper: Flag, left: Flag = true, unitriangular: Flag = false) gradient 1 =>
        |cx, given| apply(cx, given, SolveTriangular, "square, matrix", [false, true, false]);
    /// z of the least |x z - y|, the residuals, the rank of x, and no singular values. Native engine alone.
    "lstsq" as "linalg.lstsq" (x: Tensor, y: Tensor, rcond: Number = null) gradient 4 =>
        |cx, given| apply(cx, given, LeastSquares, "matrix, any", PLAIN);
    /// The Cholesky factors of symmetric positive-definite matrices. Native engine alone.
    "chol" as "linalg.cholesky" (x: Tensor, upper: Flag = false) gradient 1 => |cx, given| apply(cx, given, Cholesky, SQUARE, PLAIN);
    /// The Cholesky factors, and 0 or the order of the first minor that is not positive; with `check` an error. Native engine alone.
    "cholx" as "linalg.cholesky_ex" (x: Tensor, upper: Flag = false, check: Flag = false) gradient 2 =>
        |cx, given| apply(cx, given, CholeskyChecked, SQUARE, PLAIN);
    /// The inverses of matrices by their Cholesky factors. Native engine alone.
    "cholinverse" as "cholesky_inverse" (x: Tensor, upper: Flag = false) gradient 1 =>
        |cx, given| apply(cx, given, CholeskyInverse, SQUARE, PLAIN);
    /// z of x z = y, for matrices x with the Cholesky factors given second. Native engine alone.
    "cholsolve" as "cholesky_solve" (y: Tensor, x: Tensor, upper: Flag = false) gradient 1 =>
        |cx, given| apply(cx, given, CholeskySolve, "matrix, square", PLAIN);
    /// L and U in one matrix, and the pivots, counted from 1. Native engine alone.
    "lu" as "linalg.lu_factor" (x: Tensor, pivot: Flag = true) gradient 2 => |cx, given| apply(cx, given, LuFactor, MATRIX, [true, false, false]);
    /// As `lu`, and 0 or the number of the first pivot that is 0. With `check`, one such pivot is an error. Native engine alone.
    "lux" as "linalg.lu_factor_ex" (x: Tensor, pivot: Flag = true, check: Flag = false) gradient 3 =>
        |cx, given| apply(cx, given, LuFactorChecked, MATRIX, [true, false, false]);
    /// The permutation and the factors L and U of the results of `lu`. Native engine alone.
    "lun" as "lu_unpack" (x: Tensor, y: Tensor, dataflag: Flag = true, pivotflag: Flag = true) gradient 3 =>
        |cx, given| apply(cx, given, LuUnpack, "matrix, pivots", [true, true, false]);
    /// w of x w = y, for matrices whose results of `lu` are given second and third. Native engine alone.
    "lusolve" as "lu_solve" (y: Tensor, x: Tensor, z: Tensor) gradient 1 =>
        |cx, given| apply(cx, given, LuSolve, "matrix, square, pivots", PLAIN);
    /// Orthogonal Q and upper triangular R, reduced unless `complete`. Native engine alone.
    "qr" as "linalg.qr" (x: Tensor, complete: Flag = false) gradient 2 => |cx, given| apply(cx, given, Qr, MATRIX, PLAIN);
    /// The first columns of products of Householder matrices, by reflectors `[*, m, n]` and factors `[*, k]`. Native engine alone.
    "householder" as "linalg.householder_product" (x: Tensor, y: Tensor) gradient 1 =>
        |cx, given| apply(cx, given, Householder, "matrix, any", PLAIN);
    /// U, singular values, and V transposed. Gradients flow with `full` false. Native engine alone.
    "svd" as "linalg.svd" (x: Tensor, full: Flag = true) gradient 3 =>
        |cx, given| apply(cx, given, SingularValueDecomposition, MATRIX, [true, false, false]);
    /// The singular values of matrices, the largest first. Native engine alone.
    "svdvals" as "linalg.svdvals" (x: Tensor) gradient 1 => |cx, given| apply(cx, given, SingularValues, MATRIX, PLAIN);
    /// Eigenvalues and eigenvectors of symmetric matrices, of which one triangle is read. Native engine alone.
    "eigh" as "linalg.eigh" (x: Tensor, upper: Flag = false) gradient 2 => |cx, given| apply(cx, given, EigenSymmetric, SQUARE, PLAIN);
    /// Eigenvalues of symmetric matrices, of which one triangle is read. Native engine alone.
    "eigvalsh" as "linalg.eigvalsh" (x: Tensor, upper: Flag = false) gradient 1 =>
        |cx, given| apply(cx, given, EigenvaluesSymmetric, SQUARE, PLAIN);
    /// Powers of square matrices. A negative one is of the inverse, which the native engine alone has.
    "power" as "linalg.matrix_power" (x: Tensor, n: Whole) gradient 1 => |cx, given| power(cx, given).map(Output::One);
    /// The Frobenius norm over two dimensions, by default the last two.
    "fnorm" as "linalg.matrix_norm" (x: Tensor, dim: Dims = null, keepdim: Flag = false) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let mut dims = matrix_dims(cx, &x, given.list(1))?;
        dims.sort_unstable();
        calculated(cx.engine, &|c| norm(c, c.input(&x), 2.0, &dims, given.flag(2))).map(Output::One)
    };
    /// The sum of the singular values over two dimensions, by default the last two. Native engine alone.
    "nnorm" as "nuclear_norm" (x: Tensor, dim: Dims = null, keepdim: Flag = false) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let dims = matrix_dims(cx, &x, given.list(1))?;
        of_singular_values(cx, &x, Reduce::Sum, dims, given.flag(2))
    };
    /// The norm of order 1, 2, infinity or a negative one over two dimensions, by default the last. Order 2 is native alone.
    "mnorm" as "linalg.matrix_norm" (x: Tensor, ord: Number = 2.0, dim: Dims = null, keepdim: Flag = false) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let (order, dims, keepdim) = (given.number(1)?, matrix_dims(cx, &x, given.list(2))?, given.flag(3));
        let extreme = if order > 0.0 { Reduce::Amax } else { Reduce::Amin };
        let [summed, other] = match order.abs() {
            1.0 => dims,
            f64::INFINITY => [dims[1], dims[0]],
            2.0 => return of_singular_values(cx, &x, extreme, dims, keepdim),
            _ => {
                let message = format_args!("expected the order 1, 2, infinity or one of them negative, given {}", Number(order));
                return Err(Error::new(Code::Argument, message));
            }
        };
        let sums = cx.engine.reduce(Reduce::Sum, &cx.engine.unary(Unary::Abs, &x)?, &[summed], true)?;
        not_empty(cx, &sums, other)?;
        let found = cx.engine.reduce(extreme, &sums, &[other], true)?;
        squeezed(cx, &found, dims, keepdim).map(Output::One)
    };
}

/// The patterns of one matrix, and of one square one.
const MATRIX: &str = "matrix";
const SQUARE: &str = "square";

/// Defaults of flags that are all false.
const PLAIN: [bool; 3] = [false; 3];

/// Calls the engine. The pattern names each input: `square`, `matrix`, `pivots` or `any`. Flags and numbers follow the inputs; a
/// flag that is not its default is true for the engine.
#[inline(never)]
fn apply<E: Engine>(
    cx: &Context<'_, E>,
    given: &Given<E>,
    function: LinearAlgebra,
    pattern: &str,
    defaults: [bool; 3],
) -> Result<Output<E>> {
    if !E::HAS_LINEAR_ALGEBRA {
        return Err(unsupported());
    }
    let mut inputs = Vec::new();
    let (mut operands, mut has_pivots) = (Vec::new(), false);
    for pattern in pattern.split(", ") {
        match pattern {
            "pivots" => has_pivots = true,
            _ => operands.push(given.operand(operands.len())?),
        }
    }
    for (input, pattern) in cx.promoted(&operands, true)?.into_iter().zip(pattern.split(", ")) {
        check(cx, &input, pattern)?;
        inputs.push(input);
    }
    if has_pivots && let Some(factors) = inputs.last() {
        let pivots = cx.indices(given.operand(operands.len())?, factors)?;
        check_pivots(cx, &pivots, factors)?;
        inputs.push(pivots);
    }
    let (mut flags, numbers) = given.options(inputs.len());
    for (flag, default) in flags.iter_mut().zip(defaults) {
        *flag = *flag != default;
    }
    if matches!(function, Rank | PseudoInverse) && flags[0] {
        check(cx, &inputs[0], SQUARE)?;
    }
    check_sizes(cx, function, &inputs, flags[1])?;
    if function == LeastSquares {
        // LAPACK would stop at others, and MKL print.
        inputs.iter().try_for_each(|input| check_finite(cx, input))?;
    }
    let mut outputs =
        cx.engine.linear_algebra(function, &inputs.iter().collect::<Vec<_>>(), &LinearOptions { flags, numbers })?;
    match outputs.pop() {
        Some(output) if outputs.is_empty() => Ok(Output::One(output)),
        last => {
            outputs.extend(last);
            Ok(Output::Several(outputs))
        }
    }
}

fn unsupported() -> Error {
    Error::new(Code::Unsupported, "this engine has no linear algebra; the native engine has it")
}

fn check<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, pattern: &str) -> Result<()> {
    let (shape, dtype) = (cx.engine.shape(x)?, cx.engine.dtype(x)?);
    if !matches!(dtype, Dtype::Float | Dtype::Double) {
        return Err(expected_dtype("matrices of float or double", dtype));
    }
    let fits = match (pattern, &shape[..]) {
        ("any", [_, ..]) => true,
        ("square", [.., rows, columns]) => rows == columns,
        ("matrix", [.., _, _]) => true,
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let expected = match pattern {
        "square" => "square matrices [*, n, n]",
        "any" => "a tensor with a dimension",
        _ => "matrices [*, m, n]",
    };
    Err(Error::new(Code::Shape, format_args!("expected {expected}, given shape {shape:?}")))
}

/// Fails unless the sizes of two inputs fit, which libtorch reports without their shapes. `right`: `trisolve` solves z x = y.
fn check_sizes<E: Engine>(
    cx: &Context<'_, E>,
    function: LinearAlgebra,
    inputs: &[E::Tensor],
    right: bool,
) -> Result<()> {
    let [first, second, ..] = inputs else { return Ok(()) };
    let (a, b) = (cx.engine.shape(first)?, cx.engine.shape(second)?);
    let rows = |shape: &[usize]| shape.len().checked_sub(2).map(|dim| shape[dim]);
    let batches_fit = || {
        let batch = |shape: &[usize]| shape.iter().rev().skip(2).copied().collect::<Vec<_>>();
        batch(&a).into_iter().zip(batch(&b)).all(|(a, b)| a == b || a == 1 || b == 1)
    };
    let (fits, expected) = match function {
        Solve | LeastSquares => {
            let is_vector = b.len() == 1 || a.split_last().is_some_and(|(_, shape)| shape == &b[..]);
            let found = if is_vector { b.last().copied() } else { rows(&b) };
            let fits = rows(&a) == found && (is_vector || batches_fit());
            (fits && (function == Solve || a.len() <= b.len() + 1), "as many rows of x and y")
        }
        SolveTriangular if right => (rows(&a) == b.last().copied() && batches_fit(), "as many columns of x and y"),
        SolveTriangular | CholeskySolve | LuSolve => (rows(&a) == rows(&b) && batches_fit(), "as many rows of x and y"),
        Householder => {
            let fits = match (&a[..], &b[..]) {
                ([batch @ .., m, n], [other @ .., k]) => batch == other && n <= m && k <= n,
                _ => false,
            };
            (fits, "reflectors [*, m, n] and factors [*, k] with k <= n <= m")
        }
        _ => return Ok(()),
    };
    match fits {
        true => Ok(()),
        false => Err(Error::new(Code::Shape, format!("expected {expected}, given shapes {a:?} and {b:?}"))),
    }
}

/// Fails for NaN and for infinity.
fn check_finite<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor) -> Result<()> {
    let Data::Double(numbers) = cx.engine.data(x)?.cast(Dtype::Double)? else { return Ok(()) };
    match numbers.into_iter().find(|number| !number.is_finite()) {
        None => Ok(()),
        Some(wrong) => Err(Error::new(Code::Argument, format!("expected finite numbers, given {}", Number(wrong)))),
    }
}

/// Fails unless every pivot is the number of a row, from 1: LAPACK does not check them.
fn check_pivots<E: Engine>(cx: &Context<'_, E>, pivots: &E::Tensor, factors: &E::Tensor) -> Result<()> {
    let (shape, found) = (cx.engine.shape(factors)?, cx.engine.shape(pivots)?);
    let [batch @ .., rows, columns] = &shape[..] else { return Ok(()) };
    if found.split_last() != Some((rows.min(columns), batch)) {
        let message =
            format_args!("expected one pivot for each step of factors of shape {shape:?}, given shape {found:?}");
        return Err(Error::new(Code::Shape, message));
    }
    let Data::Long(numbers) = cx.engine.data(pivots)? else { return Ok(()) };
    match numbers.iter().find(|pivot| !usize::try_from(**pivot).is_ok_and(|pivot| (1..=*rows).contains(&pivot))) {
        None => Ok(()),
        Some(wrong) => Err(Error::new(Code::Argument, format_args!("expected pivots from 1 to {rows}, given {wrong}"))),
    }
}

/// Two different dimensions, by default the last two.
fn matrix_dims<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, given: Option<&[i64]>) -> Result<[usize; 2]> {
    let shape = cx.engine.shape(x)?;
    let given = given.unwrap_or(&[-2, -1]);
    let misfit = || {
        Error::new(Code::Shape, format_args!("expected two dimensions of a tensor of shape {shape:?}, given {given:?}"))
    };
    let &[a, b] = given else { return Err(misfit()) };
    if shape.len() < 2 {
        return Err(misfit());
    }
    match [cx.engine.dim(x, a)?, cx.engine.dim(x, b)?] {
        [a, b] if a == b => Err(misfit()),
        dims => Ok(dims),
    }
}

fn not_empty<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, dim: usize) -> Result<()> {
    match cx.engine.shape(x)? {
        shape if shape[dim] == 0 => Err(Error::new(
            Code::Shape,
            format_args!("expected at least one element, given a tensor of shape {shape:?}"),
        )),
        _ => Ok(()),
    }
}

/// Without dimensions of size 1, unless they stay.
fn squeezed<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, dims: [usize; 2], keepdim: bool) -> Result<E::Tensor> {
    if keepdim {
        return Ok(x.clone());
    }
    let shape = cx.engine.shape(x)?;
    let kept: Vec<_> = (0..shape.len()).filter(|dim| !dims.contains(dim)).map(|dim| shape[dim]).collect();
    cx.engine.with_shape(x, &kept)
}

fn of_singular_values<E: Engine>(
    cx: &Context<'_, E>,
    x: &E::Tensor,
    reduction: Reduce,
    dims: [usize; 2],
    keepdim: bool,
) -> Result<Output<E>> {
    if !E::HAS_LINEAR_ALGEBRA {
        return Err(unsupported());
    }
    check(cx, x, MATRIX)?;
    let mut shape = cx.engine.shape(x)?;
    let mut order: Vec<_> = (0..shape.len()).filter(|dim| !dims.contains(dim)).collect();
    let last = order.len();
    order.extend(dims);
    let moved = cx.engine.primitive(Primitive::Permute(order), &[x])?;
    let values = cx.engine.linear_algebra(SingularValues, &[&moved], &LinearOptions::default())?;
    let values = values.first().ok_or_else(|| Error::new(Code::Internal, "no singular values"))?;
    if reduction != Reduce::Sum {
        not_empty(cx, values, last)?;
    }
    let found = cx.engine.reduce(reduction, values, &[last], false)?;
    if !keepdim {
        return Ok(Output::One(found));
    }
    for dim in dims {
        shape[dim] = 1;
    }
    cx.engine.with_shape(&found, &shape).map(Output::One)
}

/// By squaring.
fn power<E: Engine>(cx: &Context<'_, E>, given: &Given<E>) -> Result<E::Tensor> {
    let x = cx.promoted(&[given.operand(0)?], false)?.remove(0);
    let (engine, n) = (cx.engine, given.whole(1)?);
    let shape = engine.shape(&x)?;
    let [.., rows, columns] = shape[..] else {
        return Err(Error::new(Code::Shape, format_args!("expected square matrices [*, n, n], given shape {shape:?}")));
    };
    if rows != columns {
        return Err(Error::new(Code::Shape, format_args!("expected square matrices [*, n, n], given shape {shape:?}")));
    }
    let mut base = x;
    if n < 0 {
        if !E::HAS_LINEAR_ALGEBRA {
            return Err(unsupported());
        }
        check(cx, &base, SQUARE)?;
        base = engine.linear_algebra(Inverse, &[&base], &LinearOptions::default())?.remove(0);
    }
    if engine.dtype(&base)? == Dtype::Bool {
        return Err(expected_dtype("matrices of numbers", Dtype::Bool));
    }
    let mut rest = n.unsigned_abs();
    if rest == 0 {
        let places = (0..rows * rows).map(|i| i % (rows + 1) == 0);
        let identity = Data::Bool(collected(places)?).cast(engine.dtype(&base)?)?;
        let identity = engine.tensor(&identity, &[rows, rows], engine.device(&base)?)?;
        return engine.primitive(Primitive::Expand(shape), &[&identity]);
    }
    let mut result: Option<E::Tensor> = None;
    loop {
        if rest % 2 == 1 {
            result = Some(match result {
                None => base.clone(),
                Some(result) => product(cx.engine, &result, &base)?,
            });
        }
        rest /= 2;
        match (rest, result) {
            (0, Some(result)) => return engine.with_shape(&result, &shape),
            (_, kept) => result = kept,
        }
        base = product(cx.engine, &base, &base)?;
    }
}
