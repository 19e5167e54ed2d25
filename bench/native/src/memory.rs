//! Numbers in memory as Stepwell's are: on huge pages if the system has some, and at a chosen offset in their pages.

use std::ops::{Deref, DerefMut};

const PAGE: usize = 4096;

/// Numbers, of fixed number.
pub struct Numbers {
    memory: Vec<f32>,
    start: usize,
}

impl Numbers {
    /// The offset in bytes from the start of a page.
    pub fn new(numbers: impl ExactSizeIterator<Item = f32>, place: usize) -> Self {
        let mut memory = Vec::<f32>::with_capacity(numbers.len() + PAGE / size_of::<f32>());
        let first = memory.as_ptr().addr();
        #[cfg(target_os = "linux")]
        {
            let page = first.next_multiple_of(PAGE);
            let bytes = (first + memory.capacity() * size_of::<f32>()).saturating_sub(page);
            // SAFETY: advice on the vector's own memory, from the start of a page on.
            unsafe { libc::madvise(page as *mut libc::c_void, bytes, libc::MADV_HUGEPAGE) };
        }
        let start = (PAGE + place - first % PAGE) % PAGE / size_of::<f32>();
        memory.extend(std::iter::repeat_n(0.0, start));
        memory.extend(numbers);
        Self { memory, start }
    }
}

impl Deref for Numbers {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory[self.start..]
    }
}

impl DerefMut for Numbers {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory[self.start..]
    }
}
