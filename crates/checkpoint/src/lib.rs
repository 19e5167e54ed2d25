//! Checkpoints: tensors by name, and a description of what they belong to, in one safetensors file.
//!
//! Every tool that reads safetensors reads the tensors. The description is one text of `__metadata__`, `stepwell`: JSON
//! with the version of the format, the checksum of the file, and what the caller wrote. A file is replaced at once or
//! not at all, also in a crash. Nothing is allocated before its size was compared with the size of the file.

mod checksum;
mod description;
mod errors;
mod header;
mod json;
mod layout;
mod reader;
mod replace;
mod shared_file;
mod source;
mod threads;
mod write_behind;
mod writer;

pub use description::FORMAT_VERSION;
pub use layout::TensorHeader;
pub use reader::{Checkpoint, SavedTensor};
pub use shared_file::SharedFile;
pub use source::{Bytes, ReadAt, RegularFile};
pub use writer::{Sink, write, write_file};
