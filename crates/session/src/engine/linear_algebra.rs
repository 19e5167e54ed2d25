//! Functions of linear algebra, which an engine has all together or not at all.

/// A function of matrices. [`Engine::linear_algebra`](crate::Engine::linear_algebra) applies it.
///
/// Semantics are torch 2.11's. The session checks dtypes (float or double), that inputs have enough dimensions, that
/// matrices are square where they must be, and that pivots are rows. Leading dimensions of inputs broadcast. Each function names its
/// `flags` and `numbers` in [`LinearOptions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinearAlgebra {
    /// `[x]` -> the determinant.
    Determinant,
    /// `[x]` -> the logarithm of the determinant, NaN if that is negative.
    LogDeterminant,
    /// `[x]` -> the sign of the determinant, and the logarithm of its absolute value.
    SignLogDeterminant,
    /// `[x]` -> the rank, a `long`; numbers: absolute and relative tolerance; flags: symmetric.
    Rank,
    /// `[x]` -> the inverse.
    Inverse,
    /// `[x]` -> the pseudo-inverse; numbers and flags as for [`LinearAlgebra::Rank`].
    PseudoInverse,
    /// `[a, b]` -> x of a x = b.
    Solve,
    /// `[a, b]` -> x of a x = b for triangular a; flags: upper, x a = b instead, ones on the diagonal.
    SolveTriangular,
    /// `[a, b]` -> x of least |a x - b|, residuals, rank (a `long`), singular values; numbers: the relative tolerance of the rank.
    LeastSquares,
    /// `[x]` -> the Cholesky factor; flags: upper.
    Cholesky,
    /// `[x]` -> the Cholesky factor and an error code (a `long`) each; flags: upper, fail instead.
    CholeskyChecked,
    /// `[factor]` -> the inverse of the factored matrix; flags: upper.
    CholeskyInverse,
    /// `[b, factor]` -> x of a x = b for the factored matrix a; flags: upper.
    CholeskySolve,
    /// `[x]` -> the compact LU factors, and pivots from 1 (`long`); flags: without pivots.
    LuFactor,
    /// `[x]` -> as [`LinearAlgebra::LuFactor`], and an error code (a `long`) each; flags: without pivots, fail instead.
    LuFactorChecked,
    /// `[factors, pivots]` -> the permutation, the lower and the upper matrix; flags: without factors, without the permutation.
    LuUnpack,
    /// `[b, factors, pivots]` -> x of a x = b for the factored matrix a.
    LuSolve,
    /// `[x]` -> Q and R; flags: complete, R alone.
    Qr,
    /// `[reflectors, factors]` -> the first columns of the product of Householder matrices.
    Householder,
    /// `[x]` -> U, S and V transposed; flags: reduced.
    SingularValueDecomposition,
    /// `[x]` -> the singular values.
    SingularValues,
    /// `[x]` -> eigenvalues and eigenvectors of a symmetric matrix; flags: the upper triangle is read.
    EigenSymmetric,
    /// `[x]` -> the eigenvalues alone; flags as for [`LinearAlgebra::EigenSymmetric`].
    EigenvaluesSymmetric,
}

/// Options of a function of linear algebra, in the order that [`LinearAlgebra`] states.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinearOptions {
    /// Truth values; `false` is the default of each.
    pub flags: [bool; 3],
    /// Numbers; `None` leaves the choice to the library.
    pub numbers: [Option<f64>; 2],
}
