//! The arrays of a file by their names: described without reading elements, and read into tensors and buffers in place.

use stepwell_optim::{Buffer, Code, Error, Result};

use crate::commands::saved_file::SavedFile;
use crate::engine::Engine;
use crate::values::dtype::Dtype;
use crate::values::element_bytes::{dtype_of, read_elements};
use crate::values::value::NumericArray;

/// The arrays of an open file.
pub(crate) struct ArrayStore(pub(crate) SavedFile);

impl ArrayStore {
    /// Element type and shape of an array.
    pub(crate) fn describe(&self, name: &str) -> Result<(Dtype, Vec<usize>)> {
        let missing = || Error::new(Code::Format, format!("the file has no tensor `{name}`"));
        let (word, shape) = self.0.find(name).ok_or_else(missing)?.type_and_shape();
        let dtype = dtype_of(word).ok_or_else(|| Error::new(Code::Dtype, format!("`{name}` is of type {word}")))?;
        Ok((dtype, shape.into_iter().map(|size| size as usize).collect()))
    }

    /// A copy of an array.
    pub(crate) fn read(&self, name: &str) -> Result<NumericArray> {
        let (dtype, shape) = self.describe(name)?;
        let missing = || Error::new(Code::Format, format!("the file has no tensor `{name}`"));
        let tensor = self.0.find(name).ok_or_else(missing)?;
        Ok(NumericArray { data: read_elements(&tensor, dtype)?, shape })
    }

    /// Overwrites the elements of a tensor, which has the type and the number of elements of the array.
    pub(crate) fn fill_tensor<E: Engine>(&self, name: &str, engine: &E, tensor: &E::Tensor) -> Result<()> {
        let Some(saved) = self.0.find(name) else { return self.describe(name).map(drop) };
        let is_filled =
            cfg!(target_endian = "little") && engine.with_bytes_mut(tensor, &mut |to| saved.read_into(to))?;
        if is_filled { Ok(()) } else { engine.assign(tensor, &self.read(name)?.data) }
    }

    /// Overwrites the elements of a buffer, which has the type and the number of elements of the array.
    pub(crate) fn fill_buffer(&self, name: &str, buffer: &mut Buffer, index: usize) -> Result<()> {
        if cfg!(target_endian = "big") {
            *buffer = self.read(name)?.data.to_buffer(index)?;
            return Ok(());
        }
        match self.0.find(name) {
            Some(saved) => saved.read_into(buffer.as_bytes_mut()),
            None => self.describe(name).map(drop),
        }
    }

    /// The bytes of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}
