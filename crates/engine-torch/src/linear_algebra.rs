//! Linear algebra on libtorch, by tch's methods that return errors, for any device.

use stepwell_optim::{Code, Error, Result};
use stepwell_session::{LinearAlgebra, LinearOptions};
use tch::{Kind, TchError};

use crate::error::from_tch;
use crate::tensor::Tensor;

type Tch<T> = std::result::Result<T, TchError>;

/// The outputs of a function whose inputs the session has checked.
pub(crate) fn apply(function: LinearAlgebra, inputs: &[&Tensor], options: &LinearOptions) -> Result<Vec<Tensor>> {
    let inputs: Vec<&tch::Tensor> = inputs.iter().map(|input| input.as_ref()).collect();
    let mut tensors = Vec::new();
    for output in outputs(function, &inputs, options).map_err(from_tch)? {
        // Pivots and error codes are of 32 bits in libtorch.
        let is_narrow = output.f_kind().map_err(from_tch)? == Kind::Int;
        tensors.push(Tensor::from_tch(if is_narrow {
            output.f_to_dtype(Kind::Int64, false, false)
        } else {
            Ok(output)
        })?);
    }
    if tensors.is_empty() {
        return Err(Error::new(Code::Internal, "a function of linear algebra with another number of inputs"));
    }
    Ok(tensors)
}

/// The outputs; none for a wrong number of inputs.
fn outputs(function: LinearAlgebra, inputs: &[&tch::Tensor], options: &LinearOptions) -> Tch<Vec<tch::Tensor>> {
    use LinearAlgebra::*;
    let ([first, second, third], [a, b]) = (options.flags, options.numbers);
    let triangle = if first { "U" } else { "L" };
    Ok(match (function, inputs) {
        (Determinant, [x]) => vec![x.f_det()?],
        (LogDeterminant, [x]) => vec![x.f_logdet()?],
        (SignLogDeterminant, [x]) => pair(x.f_slogdet()?),
        (Rank, [x]) => vec![x.f_linalg_matrix_rank_atol_rtol_float(a, b, first)?],
        (Inverse, [x]) => vec![tch::Tensor::f_linalg_inv(x)?],
        (PseudoInverse, [x]) => vec![x.f_linalg_pinv_atol_rtol_float(a, b, first)?],
        (Solve, [x, y]) => vec![tch::Tensor::f_linalg_solve(x, y, true)?],
        (SolveTriangular, [x, y]) => vec![x.f_linalg_solve_triangular(y, first, !second, third)?],
        (LeastSquares, [x, y]) => {
            // Not `gelsy`, libtorch's default, which reads pivots that libtorch has not set: results then differ by call.
            let driver = if x.device().is_cuda() { "gels" } else { "gelsd" };
            let (solution, residuals, rank, values) = x.f_linalg_lstsq(y, a, driver)?;
            // As `gelsy`, on the CPU without residuals and singular values.
            let none = || tch::Tensor::f_empty([0], (values.f_kind()?, values.device()));
            let residuals = if x.device().is_cuda() { residuals } else { none()? };
            vec![solution, residuals, rank, none()?]
        }
        (Cholesky, [x]) => vec![x.f_linalg_cholesky(first)?],
        (CholeskyChecked, [x]) => pair(x.f_linalg_cholesky_ex(first, second)?),
        (CholeskyInverse, [x]) => vec![x.f_cholesky_inverse(first)?],
        (CholeskySolve, [y, x]) => vec![y.f_cholesky_solve(x, first)?],
        (LuFactor, [x]) => pair(tch::Tensor::f_linalg_lu_factor(x, !first)?),
        (LuFactorChecked, [x]) => triple(tch::Tensor::f_linalg_lu_factor_ex(x, !first, second)?),
        (LuUnpack, [factors, pivots]) => triple(tch::Tensor::f_lu_unpack(factors, &narrow(pivots)?, !first, !second)?),
        (LuSolve, [y, factors, pivots]) => {
            vec![tch::Tensor::f_linalg_lu_solve(factors, &narrow(pivots)?, y, true, false)?]
        }
        (Qr, [x]) => {
            let mode = match (first, second) {
                (_, true) => "r",
                (true, _) => "complete",
                _ => "reduced",
            };
            pair(tch::Tensor::f_linalg_qr(x, mode)?)
        }
        (Householder, [x, factors]) => vec![x.f_linalg_householder_product(factors)?],
        // tch's `linalg_svd` has to name a driver, which libtorch accepts for CUDA alone.
        (SingularValueDecomposition, [x]) => {
            let (u, values, v) = x.f_svd(first, true)?;
            vec![u, values, v.f_transpose(-2, -1)?]
        }
        (SingularValues, [x]) => vec![x.f_svd(true, false)?.1],
        (EigenSymmetric, [x]) => pair(x.f_linalg_eigh(triangle)?),
        (EigenvaluesSymmetric, [x]) => vec![x.f_linalg_eigvalsh(triangle)?],
        _ => Vec::new(),
    })
}

fn narrow(pivots: &tch::Tensor) -> Tch<tch::Tensor> {
    pivots.f_to_dtype(Kind::Int, false, false)
}

fn pair((a, b): (tch::Tensor, tch::Tensor)) -> Vec<tch::Tensor> {
    vec![a, b]
}

fn triple((a, b, c): (tch::Tensor, tch::Tensor, tch::Tensor)) -> Vec<tch::Tensor> {
    vec![a, b, c]
}
