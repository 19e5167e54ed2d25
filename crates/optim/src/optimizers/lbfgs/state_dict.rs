//! The state of L-BFGS as plain data.

/// The state between steps. Names and order as in PyTorch's state dict. Each vector has one element for each element of
/// the parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LbfgsStateDict<T> {
    /// The number of evaluations of the closure.
    pub func_evals: u64,
    /// The number of iterations.
    pub n_iter: u64,
    /// The length of the last step along `d`.
    pub t: f64,
    /// The loss before the last iteration.
    pub prev_loss: f64,
    /// The last direction; empty before the first iteration.
    pub d: Vec<T>,
    /// The scale of the initial inverse Hessian.
    pub h_diag: f64,
    /// The gradient before the last iteration; empty before the first.
    pub prev_flat_grad: Vec<T>,
    /// Differences of gradients, oldest first.
    pub old_dirs: Vec<Vec<T>>,
    /// Differences of parameters, oldest first.
    pub old_stps: Vec<Vec<T>>,
    /// 1 / (old_dirs · old_stps).
    pub ro: Vec<f64>,
}

/// The state of L-BFGS as plain data, in the type of the parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyLbfgsStateDict {
    /// f32.
    Float(LbfgsStateDict<f32>),
    /// f64.
    Double(LbfgsStateDict<f64>),
}
