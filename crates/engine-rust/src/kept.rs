//! Memory of freed tensors, kept for tensors of the same length: a training frees and makes the same ones at each step. The system
//! would take pages back and clear them.

use std::any::Any;
use std::collections::HashMap;

/// In elements, 64 KiB. The system's allocator keeps smaller memory itself.
const MIN_LEN: usize = 1 << 14;

/// Freed elements of `float` by their number. With the tensors that live, they take at most half more than tensors have taken.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    by_len: HashMap<usize, Vec<Vec<f32>>>,
    bytes: usize,
    /// The most bytes that tensors have taken.
    peak: usize,
}

impl Kept {
    /// Kept memory of this number of elements, with their old values. `allocated`: the bytes of all tensors.
    pub(crate) fn take<T: 'static>(&mut self, len: usize, allocated: usize) -> Option<Vec<T>> {
        let bytes = len.saturating_mul(size_of::<T>());
        let mut taken =
            (len >= MIN_LEN && Self::keeps::<T>()).then(|| self.by_len.get_mut(&len).and_then(Vec::pop)).flatten();
        match &taken {
            Some(_) => self.bytes -= bytes,
            None => {
                let needed = allocated.saturating_add(bytes);
                self.peak = self.peak.max(needed);
                if needed.saturating_add(self.bytes) > self.peak.saturating_add(self.peak / 2) {
                    self.clear();
                }
            }
        }
        let taken: &mut dyn Any = &mut taken;
        taken.downcast_mut::<Option<Vec<T>>>().and_then(Option::take)
    }

    /// Takes the elements of a tensor that is dropped.
    pub(crate) fn keep<T: 'static>(&mut self, elements: Vec<T>) {
        let mut elements = Some(elements);
        let elements: &mut dyn Any = &mut elements;
        let Some(elements) = elements.downcast_mut::<Option<Vec<f32>>>().and_then(Option::take) else { return };
        let len = elements.len();
        if len < MIN_LEN {
            return;
        }
        let same = self.by_len.entry(len).or_default();
        // Without memory for the list, the elements are freed.
        if same.try_reserve(1).is_ok() {
            same.push(elements);
            self.bytes += len * size_of::<f32>();
        }
    }

    /// Frees all. True if there was some.
    pub(crate) fn clear(&mut self) -> bool {
        self.by_len.clear();
        std::mem::take(&mut self.bytes) > 0
    }

    fn keeps<T: 'static>() -> bool {
        std::any::TypeId::of::<T>() == std::any::TypeId::of::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, MIN_LEN};

    #[test]
    fn memory_is_taken_again_for_the_same_number_of_elements() {
        let mut kept = Kept::default();
        // Tensors have taken twice these bytes, so that one may be kept in addition to one that lives.
        assert_eq!(kept.take::<f32>(MIN_LEN, 4 * MIN_LEN), None);
        let elements = vec![1.5f32; MIN_LEN];
        let address = elements.as_ptr();
        kept.keep(elements);
        assert_eq!(kept.take::<f64>(MIN_LEN / 2, 0), None);
        let taken = kept.take::<f32>(MIN_LEN, 0).unwrap();
        assert_eq!((taken.as_ptr(), taken[MIN_LEN - 1]), (address, 1.5));
        assert_eq!(kept.take::<f32>(MIN_LEN, 0), None);
    }

    #[test]
    fn other_elements_and_short_lists_are_freed() {
        let mut kept = Kept::default();
        kept.keep(vec![0u64; MIN_LEN]);
        kept.keep(vec![0f32; MIN_LEN - 1]);
        assert!(!kept.clear());
    }

    #[test]
    fn all_is_freed_before_memory_grows_by_more_than_half() {
        let mut kept = Kept::default();
        let bytes = 4 * MIN_LEN;
        assert_eq!(kept.take::<f32>(MIN_LEN, 3 * bytes), None);
        for _ in 0..4 {
            kept.keep(vec![0f32; MIN_LEN]);
        }
        // Four are kept, and tensors have taken four at most. So two more may live, and a third one frees those that are kept.
        assert_eq!(kept.take::<f64>(MIN_LEN / 2, bytes), None);
        assert_eq!(kept.bytes, 4 * bytes);
        assert_eq!(kept.take::<f64>(MIN_LEN / 2, 2 * bytes), None);
        assert_eq!(kept.bytes, 0);
    }
}
