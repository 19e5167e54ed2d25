//! The places of tensors in a file, and the header that names them.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::ops::Range;

use stepwell_optim::{Brief, Code, Error, Result};

use crate::description;
use crate::errors::{failed, malformed};
use crate::header::MAX_HEADER_LEN;
use crate::json::element_type;

/// Name, element type and shape of a tensor to be written.
pub struct TensorHeader {
    /// The name, unique in the file.
    pub name: String,
    /// The element type as safetensors names it: `F32`.
    pub dtype: &'static str,
    /// The sizes of the dimensions; none for a single number.
    pub shape: Vec<usize>,
}

impl TensorHeader {
    /// Bits of an element, and bytes of all.
    fn sizes(&self) -> std::result::Result<(u64, u64), String> {
        let bits = element_type(self.dtype).ok_or_else(|| format!("unknown dtype {}", self.dtype))?;
        let all = self.shape.iter().try_fold(bits, |product, size| product.checked_mul(*size as u64));
        Ok((bits, all.ok_or_else(|| format!("`{}` is too large", self.name))? / 8))
    }
}

/// The places of tensors, of which those with the largest elements come first, so that all are aligned.
pub(crate) struct Layout {
    /// The tensors in the order of their data.
    pub(crate) order: Vec<usize>,
    /// The bytes of each tensor, counted from the end of the header.
    pub(crate) ranges: Vec<Range<u64>>,
    /// Bytes of all tensors.
    pub(crate) length: u64,
}

impl Layout {
    /// # Errors
    /// [`Code::Argument`] for a name that comes twice. [`Code::Format`] for a tensor that is too large.
    pub(crate) fn new(place: &str, tensors: &[TensorHeader]) -> Result<Self> {
        let mut order = Vec::new();
        for (i, tensor) in tensors.iter().enumerate() {
            order.push((i, tensor.sizes().map_err(|problem| malformed(place, &problem))?));
        }
        order.sort_by_key(|(i, (bits, _))| (Reverse(*bits), &tensors[*i].name));
        let mut names: Vec<&str> = tensors.iter().map(|tensor| &*tensor.name).collect();
        names.push(description::METADATA);
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let problem = match pair[1] {
                description::METADATA => "the format needs this name itself",
                _ => "two of its tensors have this name",
            };
            let message = format!("expected other names than `{}` in {}: {problem}", Brief(pair[1]), Brief(place));
            return Err(Error::new(Code::Argument, message));
        }
        let (mut ranges, mut length) = (vec![0..0; tensors.len()], 0);
        for (i, (_, bytes)) in &order {
            ranges[*i] = length..length + bytes;
            length += bytes;
        }
        Ok(Self { order: order.into_iter().map(|(i, _)| i).collect(), ranges, length })
    }

    /// The header, with a description whose checksum is zeros.
    ///
    /// # Errors
    /// [`Code::File`] for a header above 100,000,000 bytes.
    pub(crate) fn header(&self, place: &str, tensors: &[TensorHeader], content: &str) -> Result<String> {
        let text = self.text(tensors, content).map_err(|problem| malformed(place, &problem))?;
        if text.len() as u64 > MAX_HEADER_LEN {
            let message = format!("its names need {} bytes, and the format allows {MAX_HEADER_LEN}", text.len());
            return Err(failed("write", place, &message));
        }
        Ok(text)
    }

    /// The description, then the tensors in the order of their data.
    fn text(&self, tensors: &[TensorHeader], content: &str) -> std::result::Result<String, String> {
        let mut text = description::written(content)?;
        for i in &self.order {
            let (TensorHeader { name, dtype, shape }, Range { start, end }) = (&tensors[*i], &self.ranges[*i]);
            let name = serde_json::to_string(name).map_err(|error| error.to_string())?;
            // Debug shows a list of numbers as JSON does, and writing to a string does not fail.
            let offsets = [start, end];
            let _ = write!(text, ",{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":{offsets:?}}}");
        }
        text.push('}');
        // The data begin at a multiple of 8.
        while text.len() % 8 != 0 {
            text.push(' ');
        }
        Ok(text)
    }
}
