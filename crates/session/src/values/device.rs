//! Where a tensor lives.

use std::fmt;

use stepwell_optim::{Code, Error, Result};

/// A device named as PyTorch names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// Main memory.
    Cpu,
    /// The CUDA device of that index.
    Cuda(usize),
}

impl Device {
    /// Parses `cpu`, `cuda` (the first CUDA device) or `cuda:1`.
    pub fn parse(name: &str) -> Result<Self> {
        let index = match name {
            "cpu" => return Ok(Device::Cpu),
            "cuda" => Some(0),
            _ => name.strip_prefix("cuda:").and_then(|index| index.parse().ok()),
        };
        index.map(Device::Cuda).ok_or_else(|| {
            Error::new(Code::Device, format_args!("unknown device `{name}`, expected cpu, cuda or cuda:<index>"))
        })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}
