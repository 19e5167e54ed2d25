//! The permission to allocate, for libtorch's allocator in allocator.cpp.

/// [`stepwell_memory::may_allocate`]
// SAFETY: the prefix `stepwell_` makes the symbol unique.
#[unsafe(no_mangle)]
extern "C" fn stepwell_may_allocate(bytes: usize) -> bool {
    stepwell_memory::may_allocate(bytes)
}
