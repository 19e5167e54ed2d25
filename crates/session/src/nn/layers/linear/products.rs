//! Products of two inputs, and the identity.

use crate::engine::primitives::Binary;
use crate::mathematics::matrix;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::layer_kind::function_layers;

function_layers! { E,
    /// The input itself.
    "identity" {} => Function(1, |_, x: &[E::Tensor], _| Ok(x[0].clone()));
    /// The product of matrices `[*, m, k]` and `[*, k, n]`; leading dimensions broadcast.
    "matmul" {} => Function(2, |cx, x, _| {
        matrix::product(cx.engine, &x[0], &x[1])
    });
    /// The product of the elements of two inputs, which broadcast.
    "mul" {} => Function(2, |cx, x, _| {
        cx.engine.binary(Binary::Mul, &x[0], &x[1])
    });
}
