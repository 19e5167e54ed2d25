//! The passes of the processes that train one model.

/// How the losses of the processes make up the loss of all their samples.
#[derive(Clone, Copy)]
#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "WebAssembly has one process"))]
pub(crate) enum Share {
    /// Their mean, with this weight for the loss of this process: the number of its samples, or the sum of their weights.
    Mean(f64),
    /// Their sum; false if this process has no samples.
    Sum(bool),
}

/// The pass of a process, for the others.
#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "WebAssembly has one process"))]
pub(crate) enum Pass {
    /// Has computed a loss.
    Computed(f64, Share),
    /// Has computed a loss that the caller refuses, since it is not finite.
    Refused(f64),
    Failed,
}

/// The result of the passes of all processes.
pub(crate) enum Passes {
    /// The loss of all samples.
    Computed(f64),
    /// A process has refused its loss.
    Refused(f64),
}

#[cfg(not(target_family = "wasm"))]
impl Pass {
    pub(crate) const COMPUTED: f64 = 0.0;
    pub(crate) const REFUSED: f64 = 1.0;
    pub(crate) const FAILED: f64 = 2.0;

    /// The number of its kind, its loss, and its weight.
    pub(crate) fn numbers(&self) -> [f64; 3] {
        match *self {
            Pass::Computed(loss, Share::Mean(weight)) => [Self::COMPUTED, loss, weight],
            Pass::Computed(loss, Share::Sum(has_samples)) => [Self::COMPUTED, loss, f64::from(u8::from(has_samples))],
            Pass::Refused(loss) => [Self::REFUSED, loss, 1.0],
            Pass::Failed => [Self::FAILED, 0.0, 0.0],
        }
    }
}
