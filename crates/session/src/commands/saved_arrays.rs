//! Arrays that are saved: each is written from its own memory.

use stepwell_checkpoint::{Sink, TensorHeader};
use stepwell_optim::{Result, Shared, SharedCell};

use crate::commands::saved_file::failed;
use crate::engine::Engine;
use crate::training::bound_optimizer::BoundOptimizer;
use crate::values::data::Data;
use crate::values::dtype::Dtype;
use crate::values::element_bytes::{word, write_elements};
use crate::values::named_arrays::NamedArray;

/// An array with its name in the file.
pub(crate) struct SavedArray<E: Engine> {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) elements: Elements<E>,
}

/// Where the elements of an array are.
pub(crate) enum Elements<E: Engine> {
    Own(Data),
    Tensor(E::Tensor),
    /// A buffer of an optimizer, by the position of its parameter and its index. If processes share the state, it has the elements of
    /// this process.
    Buffer(Shared<SharedCell<BoundOptimizer<E>>>, usize, usize),
}

impl<E: Engine> From<NamedArray> for SavedArray<E> {
    fn from(NamedArray { name, array }: NamedArray) -> Self {
        Self { name, dtype: array.data.dtype(), shape: array.shape, elements: Elements::Own(array.data) }
    }
}

impl<E: Engine> SavedArray<E> {
    /// A tensor under a name.
    pub(crate) fn of_tensor(engine: &E, name: String, tensor: E::Tensor) -> Result<Self> {
        Ok(Self {
            name,
            dtype: engine.dtype(&tensor)?,
            shape: engine.shape(&tensor)?,
            elements: Elements::Tensor(tensor),
        })
    }

    /// Gives the elements to a sink, piece by piece.
    pub(crate) fn write(&self, engine: &E, place: &str, sink: &mut dyn Sink) -> Result<()> {
        let unwritable = |error| failed("write", place, &error);
        match &self.elements {
            Elements::Own(data) => write_elements(sink, data).map_err(unwritable),
            Elements::Tensor(tensor) => {
                let write = &mut |bytes: &[u8]| sink.take(bytes).map_err(unwritable);
                if cfg!(target_endian = "little") && engine.with_bytes(tensor, write)? {
                    return Ok(());
                }
                write_elements(sink, &engine.data(tensor)?).map_err(unwritable)
            }
            Elements::Buffer(bound, parameter, index) => {
                let bound = bound.borrow();
                let buffer = bound.optimizer.buffer(*parameter, *index)?;
                if cfg!(target_endian = "little") {
                    return sink.take(buffer.as_bytes()).map_err(unwritable);
                }
                write_elements(sink, &buffer.try_into()?).map_err(unwritable)
            }
        }
    }
}

/// Name, type and shape of each array.
pub(crate) fn headers<E: Engine>(arrays: &[SavedArray<E>]) -> Vec<TensorHeader> {
    let header = |array: &SavedArray<E>| TensorHeader {
        name: array.name.clone(),
        dtype: word(array.dtype),
        shape: array.shape.clone(),
    };
    arrays.iter().map(header).collect()
}
