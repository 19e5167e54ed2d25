//! Conversion of libtorch's errors to Stepwell's.

use stepwell_optim::{Code, Error, Result};
use stepwell_session::BusyGuard;
use tch::TchError;

/// Frequent errors: the start of libtorch's text, and a message that says what to do.
const FREQUENT: &[(&str, &str)] = &[
    (
        "Trying to backward through the graph a second time",
        "a second backward through the same graph: the first one released it, run the forward again",
    ),
    (
        "one of the variables needed for gradient computation has been modified by an inplace operation",
        "backward through an outdated graph: a tensor that it needs was changed since, run the forward again",
    ),
    (
        "grad can be implicitly created only for scalar outputs",
        "backward needs a tensor with one element, such as a mean or a sum",
    ),
    ("element 0 of tensors does not require grad", "backward needs a tensor made from one that requires a gradient"),
];

/// Parts of texts of out-of-memory errors, on the CPU and on CUDA devices.
const OUT_OF_MEMORY: &[&str] = &["DefaultCPUAllocator", "out of memory", "bad_alloc", "_STATUS_ALLOC_FAILED"];

/// Parts of texts of errors that tensors on several devices cause.
const SEVERAL_DEVICES: &[&str] = &[
    "Expected all tensors to be on the same device",
    "to have the same device as tensor",
    "but expected it to be on GPU",
    "but expected it to be on CPU",
];

/// Fails while a step uses views of tensors.
pub(crate) fn check_not_busy() -> Result<()> {
    match BusyGuard::is_held() {
        false => Ok(()),
        true => Err(Error::new(Code::Internal, "a tensor was written to while a step had a view of its memory")),
    }
}

/// An error that tch returned.
pub(crate) fn from_tch(error: TchError) -> Error {
    match error {
        TchError::Torch(text) => engine_error(&text),
        other => Error::new(Code::Engine, other.to_string()),
    }
}

/// An error with the text of a C++ exception, converted to a message of one sentence.
pub(crate) fn engine_error(text: &str) -> Error {
    if OUT_OF_MEMORY.iter().any(|part| text.contains(part)) {
        return out_of_memory(text);
    }
    if SEVERAL_DEVICES.iter().any(|part| text.contains(part)) || differs_in_device(text) {
        let message = format!("tensors on several devices: {}. to(x, device) copies a tensor x", first_sentence(text));
        return Error::new(Code::Device, message);
    }
    if text.starts_with("CUDA error: ") {
        let message = format!(
            "{}. CUDA may report a failure of earlier work, after which the device is of no use: restart the process",
            first_sentence(text)
        );
        return Error::new(Code::Device, message);
    }
    if let Some((operation, dtype)) = not_implemented(text) {
        return Error::new(Code::Dtype, format!("libtorch has no `{operation}` for {dtype} on this device"));
    }
    let frequent = FREQUENT.iter().find(|(start, _)| text.starts_with(start));
    Error::new(Code::Engine, frequent.map_or_else(|| first_sentence(text), |(_, message)| message))
}

/// True for the text of a convolution whose input and weight are on different devices: `Input type (torch.cuda.FloatTensor) and
/// weight type (torch.FloatTensor) should be the same`.
fn differs_in_device(text: &str) -> bool {
    let types = |text: &str| text.matches("torch.cuda.").count();
    text.starts_with("Input type (") && text.lines().next().is_some_and(|line| types(line) == 1)
}

/// The operation and libtorch's name of the dtype in a text such as `"tril" not implemented for 'Half'`.
fn not_implemented(text: &str) -> Option<(&str, &str)> {
    let (operation, rest) = text.strip_prefix('"')?.split_once("\" not implemented for '")?;
    Some((operation, rest.split_once('\'')?.0))
}

/// An error of an allocation, with its size if the text contains one.
pub(crate) fn out_of_memory(text: &str) -> Error {
    const SIZE: [(&str, &str); 2] = [("you tried to allocate ", " bytes"), ("Tried to allocate ", ". ")];
    let size = SIZE.iter().find_map(|(before, after)| Some(text.split_once(before)?.1.split_once(after)?.0));
    Error::new(
        Code::Memory,
        match size {
            Some(size) if size.bytes().all(|c| c.is_ascii_digit()) => format!("out of memory allocating {size} bytes"),
            Some(size) => format!("out of memory allocating {size}"),
            None => "out of memory".to_owned(),
        },
    )
}

/// The first sentence: the first line up to a full stop before a capital letter. Hints and the C++ backtrace follow it.
fn first_sentence(text: &str) -> &str {
    let line = text.trim_start().lines().next().unwrap_or_default();
    let capital = |at: &usize| line[at + 2..].starts_with(|c: char| c.is_ascii_uppercase());
    let end = line.match_indices(". ").map(|(at, _)| at).find(capital).unwrap_or(line.len());
    line[..end].trim_end().trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use stepwell_optim::Code;

    use crate::error::engine_error;

    #[test]
    fn keeps_the_first_sentence() {
        let text = "sizes 2.5 and e.g. 3 differ, see x. Hint: no.\nException raised from f at /a.cpp:1\nframe #0: 0x1";
        assert_eq!(engine_error(text).to_string(), "sizes 2.5 and e.g. 3 differ, see x");
        assert_eq!(engine_error("").to_string(), "");
    }

    #[test]
    fn says_what_has_no_kernel() {
        let error = engine_error("\"max_pool2d\" not implemented for 'Half'\nException raised from f at /a.cpp:1");
        let text = "libtorch has no `max_pool2d` for Half on this device";
        assert_eq!((error.code(), error.to_string().as_str()), (Code::Dtype, text));
    }

    #[test]
    fn tells_devices_from_refusals() {
        for text in [
            "Expected all tensors to be on the same device, but got mat1 is on cuda:0, different from other tensors on cpu (when \
             checking argument in method wrapper_CUDA_addmm)\nException raised from f at /a.cpp:1",
            "Input type (torch.cuda.FloatTensor) and weight type (torch.FloatTensor) should be the same",
            "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be asynchronously reported",
        ] {
            let error = engine_error(text);
            assert_eq!(error.code(), Code::Device, "{error}");
            assert!(!error.to_string().contains("Exception"), "{error}");
        }
        let types =
            engine_error("Input type (torch.FloatTensor) and weight type (torch.DoubleTensor) should be the same");
        assert_eq!(types.code(), Code::Engine);
        for text in ["CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", "CUDA error: out of memory"] {
            assert_eq!(engine_error(text).code(), Code::Memory);
        }
    }

    #[test]
    fn tells_memory_from_refusals() {
        let text = "[enforce fail at a.cpp:1] err == 0. DefaultCPUAllocator: can't allocate memory: ";
        let cpu = engine_error(&format!("{text}you tried to allocate 80 bytes. Error code 12"));
        assert_eq!((cpu.code(), cpu.to_string()), (Code::Memory, "out of memory allocating 80 bytes".into()));
        let cuda = engine_error("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity");
        assert_eq!((cuda.code(), cuda.to_string()), (Code::Memory, "out of memory allocating 2.00 GiB".into()));
    }
}
