//! Elements as the bytes of a checkpoint, little endian.

use half::{bf16, f16};
use stepwell_checkpoint::{ReadAt, SavedTensor, Sink};
use stepwell_optim::Result;
use stepwell_optim::fallible::with_capacity;

use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// In bytes, 1 MiB: elements are converted this many at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// The word of safetensors for the type of a tensor.
pub(crate) fn word(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::Float => "F32",
        Dtype::Double => "F64",
        Dtype::Half => "F16",
        Dtype::BFloat16 => "BF16",
        Dtype::Long => "I64",
        Dtype::Bool => "BOOL",
    }
}

/// The dtype of a word of safetensors; `None` if tensors do not have it.
pub(crate) fn dtype_of(given: &str) -> Option<Dtype> {
    Dtype::ALL.into_iter().find(|dtype| word(*dtype) == given)
}

/// The elements of a tensor, read as `dtype`, which must be the dtype in the file.
pub(crate) fn read_elements<S: ReadAt>(saved: &SavedTensor<'_, S>, dtype: Dtype) -> Result<Data> {
    fn read<T, const N: usize, S: ReadAt>(saved: &SavedTensor<'_, S>, from: fn([u8; N]) -> T) -> Result<Vec<T>> {
        // The size was compared with the size of the file, which a usize counted.
        let mut elements = with_capacity(saved.bytes() as usize / N)?;
        saved.read(&mut |piece| elements.extend(piece.as_chunks().0.iter().map(|chunk| from(*chunk))))?;
        Ok(elements)
    }
    Ok(match dtype {
        Dtype::Float => Data::Float(read(saved, f32::from_le_bytes)?),
        Dtype::Double => Data::Double(read(saved, f64::from_le_bytes)?),
        Dtype::Half => Data::Half(read(saved, f16::from_le_bytes)?),
        Dtype::BFloat16 => Data::BFloat16(read(saved, bf16::from_le_bytes)?),
        Dtype::Long => Data::Long(read(saved, i64::from_le_bytes)?),
        Dtype::Bool => Data::Bool(read(saved, |[byte]| byte != 0)?),
    })
}

/// Gives elements to a sink.
pub(crate) fn write_elements(sink: &mut dyn Sink, data: &Data) -> std::io::Result<()> {
    fn each<T: Copy, const N: usize>(sink: &mut dyn Sink, elements: &[T], to: fn(T) -> [u8; N]) -> std::io::Result<()> {
        let mut piece = Vec::new();
        for chunk in elements.chunks(CHUNK_BYTES / N) {
            piece.resize(chunk.len() * N, 0);
            piece.as_chunks_mut().0.iter_mut().zip(chunk).for_each(|(bytes, element)| *bytes = to(*element));
            sink.take(&piece)?;
        }
        Ok(())
    }
    match data {
        Data::Float(v) => each(sink, v, f32::to_le_bytes),
        Data::Double(v) => each(sink, v, f64::to_le_bytes),
        Data::Half(v) => each(sink, v, f16::to_le_bytes),
        Data::BFloat16(v) => each(sink, v, bf16::to_le_bytes),
        Data::Long(v) => each(sink, v, i64::to_le_bytes),
        Data::Bool(v) => each(sink, v, |x| [u8::from(x)]),
    }
}
