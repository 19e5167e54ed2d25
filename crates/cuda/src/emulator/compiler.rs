//! Compiles the text of kernels as C++17 into a library of the host, and keeps it in the target folder.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use stepwell_optim::{Code, Error, Result};

/// The folder of compiled libraries.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/emulator");

/// The text before the kernels in the checked build.
const ACCESS: &str = include_str!("access.hpp");

/// Options of the compiler. Formulas must not be contracted. Kernels access arrays through addresses, so the compiler
/// must not assume that types differ. Most kernels run on few elements, so that optimizing takes longer than it saves.
const OPTIONS: [&str; 10] = [
    "-std=c++17",
    "-O0",
    "-ffp-contract=off",
    "-fno-strict-aliasing",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-shared",
    "-fPIC",
    "-xc++",
];

/// Options that end the process at undefined behavior, such as an overflow or a misaligned access.
const CHECK_OPTIONS: [&str; 2] = ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"];

/// The library of a text, compiled unless an earlier run has done so.
///
/// # Errors
/// [`Code::Internal`] with the compiler's messages.
pub(super) fn compile(source: &str, checks: bool) -> Result<PathBuf> {
    let source = if checks { format!("{ACCESS}{source}") } else { source.to_owned() };
    let mut options: Vec<&str> = OPTIONS.to_vec();
    if checks {
        options.extend(CHECK_OPTIONS);
    }
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let mut hasher = DefaultHasher::new();
    (&source, &options, &compiler).hash(&mut hasher);
    let name = format!("{:016x}", hasher.finish());
    let folder = Path::new(FOLDER);
    let (text, library) = (folder.join(format!("{name}.cpp")), folder.join(format!("{name}.so")));
    // The comparison of the whole text makes an equal hash of another text harmless.
    if library.exists() && fs::read_to_string(&text).is_ok_and(|known| known == source) {
        return Ok(library);
    }

    // Several tests compile at once, and a rename publishes a whole file.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let unique = format!("{name}.{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let (own_text, own_library) = (folder.join(format!("{unique}.cpp")), folder.join(format!("{unique}.so")));
    let failed = |error: std::io::Error| Error::new(Code::Internal, format!("emulator: {error}"));
    fs::create_dir_all(folder).map_err(failed)?;
    fs::write(&own_text, &source).map_err(failed)?;
    let output = Command::new(&compiler).args(&options).arg(&own_text).arg("-o").arg(&own_library).output();
    let output = output.map_err(|error| {
        Error::new(Code::Internal, format!("emulator: expected a C++ compiler, `{compiler}` gave: {error}"))
    })?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::new(Code::Internal, format!("emulator: {compiler} failed:\n{message}")));
    }
    fs::rename(&own_text, &text).map_err(failed)?;
    fs::rename(&own_library, &library).map_err(failed)?;
    Ok(library)
}
