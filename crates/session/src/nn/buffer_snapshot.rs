//! A snapshot of buffers, to restore running statistics after a forward pass.

use stepwell_optim::{Result, Results};

use crate::engine::Engine;
use crate::nn::module::Module;

/// Copies of the buffers of a module, such as running statistics.
pub(crate) struct BufferSnapshot<E: Engine>(Vec<(E::Tensor, E::Tensor)>);

impl<E: Engine> BufferSnapshot<E> {
    #[inline(never)]
    pub(crate) fn of(engine: &E, module: &Module<E>) -> Result<Self> {
        let copy = |tensor: E::Tensor| {
            let before = engine.convert(&tensor, engine.dtype(&tensor)?, engine.device(&tensor)?)?;
            Ok((tensor, before))
        };
        module.buffers().into_iter().map(|named| copy(named.tensor)).values().map(Self)
    }

    /// Restores the buffers.
    #[inline(never)]
    pub(crate) fn restore(&self, engine: &E) -> Result<()> {
        for (tensor, before) in &self.0 {
            let dtype = engine.dtype(tensor)?;
            if engine.dtype(before)? == dtype {
                // Takes no memory, which may be exhausted.
                engine.copy(before, tensor)?;
            } else {
                engine.assign(tensor, &engine.data(before)?.cast(dtype)?)?;
            }
        }
        Ok(())
    }
}
