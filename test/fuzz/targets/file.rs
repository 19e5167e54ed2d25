//! The reader of files: any bytes are a checkpoint or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stepwell_checkpoint::{Bytes, Checkpoint};

/// In bytes: the limit of a header, as a session with little memory sets it.
const LIMIT: usize = 1 << 24;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = Checkpoint::open(Bytes(bytes), "a fuzzed file", LIMIT) else { return };
    assert_eq!(file.bytes(), bytes.len() as u64);
    let mut data = 0;
    for tensor in file.tensors() {
        let name = tensor.name();
        let (_, shape) = tensor.type_and_shape();
        assert!(shape.len() <= 64, "{name} has {} dimensions", shape.len());
        let mut read = 0;
        let whole = tensor.read(&mut |piece| read += piece.len() as u64);
        assert!(whole.is_ok() && read == tensor.bytes(), "{name} has {read} bytes instead of {}", tensor.bytes());
        assert!(file.find(&name).is_some_and(|found| found.bytes() == tensor.bytes()), "{name} is not found");
        data += read;
    }
    assert!(data < bytes.len() as u64);
    let _ = (file.content(), file.version(), file.checksum(), file.verify());
});
