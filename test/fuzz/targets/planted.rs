//! A planted bug, which a run must find before it counts: a text that panics.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| assert!(!text.starts_with("[1,"), "the planted bug"));
