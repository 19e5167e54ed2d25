//! What L-BFGS remembers, as a state tells it.

/// What L-BFGS remembers between steps, as plain data. Names and order as in PyTorch's state dict; every vector has an
/// element for each element of the parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LbfgsStateDict<T> {
    /// Evaluations of the closure so far.
    pub func_evals: u64,
    /// Iterations so far.
    pub n_iter: u64,
    /// Length of the last step along `d`.
    pub t: f64,
    /// Loss before the last iteration.
    pub prev_loss: f64,
    /// Last direction; empty before the first iteration.
    pub d: Vec<T>,
    /// Scale of the first guess at the inverse Hessian.
    pub h_diag: f64,
    /// Gradient before the last iteration; empty before the first.
    pub prev_flat_grad: Vec<T>,
    /// Differences of gradients, oldest first.
    pub old_dirs: Vec<Vec<T>>,
    /// Differences of parameters, oldest first.
    pub old_stps: Vec<Vec<T>>,
    /// 1 / (old_dirs · old_stps).
    pub ro: Vec<f64>,
}

/// What L-BFGS remembers as plain data, of the type of the parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyLbfgsStateDict {
    /// 32-bit floating point.
    Float(LbfgsStateDict<f32>),
    /// 64-bit floating point.
    Double(LbfgsStateDict<f64>),
}
