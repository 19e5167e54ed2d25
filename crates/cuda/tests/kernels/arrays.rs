//! Arrays that start at any element after a multiple of 16 bytes.

use half::{bf16, f16};
use stepwell_optim::Element;

/// An array with guard elements before and after.
#[derive(Clone)]
pub(crate) struct Array {
    /// Sixteen bytes each, which aligns the memory.
    words: Vec<u128>,
    /// In bytes, from the start of the memory.
    start: usize,
    bytes: usize,
}

/// The byte of guard elements.
const GUARD: u8 = 0xa5;

impl Array {
    /// A copy of elements that starts `offset` elements after a multiple of 16 bytes.
    pub(crate) fn new<T: Copy + 'static>(elements: &[T], offset: usize) -> Self {
        let (start, bytes) = (16 + offset * size_of::<T>(), size_of_val(elements));
        let words = vec![u128::from_ne_bytes([GUARD; 16]); (start + bytes) / 16 + 2];
        let mut array = Self { words, start, bytes };
        array.elements_mut::<T>().copy_from_slice(elements);
        array
    }

    /// The address of the first element.
    pub(crate) fn address(&self) -> u64 {
        self.words.as_ptr().expose_provenance() as u64 + self.start as u64
    }

    /// In bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn elements<T: Copy>(&self) -> &[T] {
        // SAFETY: the array was made of elements of this size, and every bit pattern of a number is a value.
        unsafe {
            let first = self.words.as_ptr().cast::<u8>().add(self.start);
            std::slice::from_raw_parts(first.cast(), self.bytes / size_of::<T>())
        }
    }

    pub(crate) fn elements_mut<T: Copy>(&mut self) -> &mut [T] {
        // SAFETY: as in `elements`.
        unsafe {
            let first = self.words.as_mut_ptr().cast::<u8>().add(self.start);
            std::slice::from_raw_parts_mut(first.cast(), self.bytes / size_of::<T>())
        }
    }

    /// Panics if a guard element has changed.
    pub(crate) fn check_guards(&self) {
        // SAFETY: all bytes are initialized.
        let all: &[u8] = unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.words.len() * 16) };
        let outside = all[..self.start].iter().chain(&all[self.start + self.bytes..]);
        assert!(outside.copied().all(|byte| byte == GUARD), "an element outside of an array was written");
    }
}

/// The numbers of an array as bits, in which all NaN are equal. The payload of a NaN depends on the processor.
pub(crate) fn comparable(element: Element, array: &Array) -> Vec<u64> {
    let of = |is_nan: bool, bits: u64| if is_nan { u64::MAX } else { bits };
    match element {
        Element::Float => array.elements::<f32>().iter().map(|x| of(x.is_nan(), x.to_bits().into())).collect(),
        Element::Double => array.elements::<f64>().iter().map(|x| of(x.is_nan(), x.to_bits())).collect(),
        Element::Half => array.elements::<f16>().iter().map(|x| of(x.is_nan(), x.to_bits().into())).collect(),
        Element::BFloat16 => array.elements::<bf16>().iter().map(|x| of(x.is_nan(), x.to_bits().into())).collect(),
    }
}
