//! A snapshot of what a forward pass writes to, such as running statistics.

use stepwell_optim::{Result, Results};

use crate::engine::Engine;
use crate::nn::module::Module;
use crate::values::data::Data;

/// Copies of the tensors that a forward pass of a module writes to.
pub(crate) struct BufferSnapshot<E: Engine>(Vec<(E::Tensor, E::Tensor)>);

impl<E: Engine> BufferSnapshot<E> {
    /// A snapshot before a pass that trains, or before one that evaluates.
    #[inline(never)]
    pub(crate) fn of(engine: &E, module: &Module<E>, training: bool) -> Result<Self> {
        let copy = |tensor: E::Tensor| {
            let before = engine.convert(&tensor, engine.dtype(&tensor)?, engine.device(&tensor)?)?;
            Ok((tensor, before))
        };
        module.written(training).into_iter().map(|named| copy(named.tensor)).values().map(Self)
    }

    /// Restores the tensors unless the pass `succeeded`.
    pub(crate) fn restore_unless(&self, succeeded: bool, engine: &E) -> Result<()> {
        if succeeded { Ok(()) } else { self.restore(engine) }
    }

    /// Restores the tensors. One without a change is not written, since a graph may need it at its version.
    #[inline(never)]
    pub(crate) fn restore(&self, engine: &E) -> Result<()> {
        for (tensor, before) in &self.0 {
            let dtype = engine.dtype(tensor)?;
            if engine.dtype(before)? != dtype {
                engine.assign(tensor, &engine.data(before)?.cast(dtype)?)?;
            } else if !is_equal(engine.data(tensor), engine.data(before)) {
                // Takes no memory, which may be exhausted.
                engine.copy(before, tensor)?;
            }
        }
        Ok(())
    }
}

/// Whether both have the same elements of floating point.
fn is_equal(now: Result<Data>, then: Result<Data>) -> bool {
    match (now, then) {
        (Ok(Data::Float(now)), Ok(Data::Float(then))) => now == then,
        (Ok(Data::Double(now)), Ok(Data::Double(then))) => now == then,
        _ => false,
    }
}
