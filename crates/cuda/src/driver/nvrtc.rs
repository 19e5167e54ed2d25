//! NVRTC, NVIDIA's compiler of CUDA C++ as a library. Compiling needs neither a device nor a driver.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::ptr;

use stepwell_optim::fallible::filled;
use stepwell_optim::{Code, Error, Result};

use crate::driver::library::{functions, open_forever};

/// Options of every compilation: no contraction and IEEE division, so that results have the bits of the CPU.
pub const COMPILE_OPTIONS: &[&str] =
    &["--std=c++17", "--fmad=false", "--prec-div=true", "--prec-sqrt=true", "--ftz=false"];

/// Plain names, which the system's loader looks up.
const SYSTEM_NAMES: &[&str] = &["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"];

type Program = *mut c_void;

functions! {
    /// The functions of NVRTC that Stepwell calls.
    Functions {
        version = "nvrtcVersion": fn(*mut c_int, *mut c_int);
        architecture_count = "nvrtcGetNumSupportedArchs": fn(*mut c_int);
        architectures = "nvrtcGetSupportedArchs": fn(*mut c_int);
        create = "nvrtcCreateProgram":
            fn(*mut Program, *const c_char, *const c_char, c_int, *const *const c_char, *const *const c_char);
        destroy = "nvrtcDestroyProgram": fn(*mut Program);
        compile = "nvrtcCompileProgram": fn(Program, c_int, *const *const c_char);
        log_size = "nvrtcGetProgramLogSize": fn(Program, *mut usize);
        log = "nvrtcGetProgramLog": fn(Program, *mut c_char);
        cubin_size = "nvrtcGetCUBINSize": fn(Program, *mut usize);
        cubin = "nvrtcGetCUBIN": fn(Program, *mut c_char);
        ptx_size = "nvrtcGetPTXSize": fn(Program, *mut usize);
        ptx = "nvrtcGetPTX": fn(Program, *mut c_char);
    }
}

/// The result of a compilation that a device loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Machine code for devices with this compute capability times ten: 90 for 9.0.
    Cubin(u32),
    /// PTX for devices with this compute capability or a newer one. The driver compiles it.
    Ptx(u32),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cubin(capability) => write!(f, "sm_{capability}"),
            Self::Ptx(capability) => write!(f, "compute_{capability}"),
        }
    }
}

/// The output of a compilation.
#[derive(Debug)]
pub struct Compiled {
    /// Machine code, or PTX that ends with 0.
    pub code: Vec<u8>,
    /// Messages of the compiler.
    pub log: String,
}

/// The loaded compiler.
pub struct Nvrtc {
    functions: Functions,
    version: (c_int, c_int),
    /// Compute capabilities times ten that machine code can be made for, ascending.
    architectures: Vec<u32>,
}

impl fmt::Debug for Nvrtc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nvrtc").field("version", &self.version).field("architectures", &self.architectures).finish()
    }
}

impl Nvrtc {
    /// Loads NVRTC from the first folder that has it, or from the folders of the system.
    ///
    /// # Errors
    /// [`Code::Device`] with the folders that were searched, or with the reason why a library cannot be used.
    pub fn open(folders: &[PathBuf]) -> Result<Self> {
        let mut reasons = Vec::new();
        let candidates = folders.iter().flat_map(|folder| in_folder(folder, "libnvrtc.so"));
        for path in candidates.chain(SYSTEM_NAMES.iter().map(PathBuf::from)) {
            if let Some(folder) = path.parent() {
                // NVRTC loads this library by its plain name, which the system's loader finds once it is loaded.
                for builtins in in_folder(folder, "libnvrtc-builtins.so") {
                    let _ = open_forever(builtins);
                }
            }
            match open_forever(&path).and_then(Functions::resolve) {
                Ok(functions) => return Self::new(functions),
                Err(reason) => reasons.push(reason),
            }
        }
        let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let message = format!(
            "NVRTC cannot be loaded from {} or the system: {}. Install nvidia-cuda-nvrtc next to libtorch",
            folders.join(", "),
            reasons.first().map_or("no library was found", String::as_str),
        );
        Err(Error::new(Code::Device, message))
    }

    fn new(functions: Functions) -> Result<Self> {
        let (mut major, mut minor, mut count) = (0, 0, 0);
        // SAFETY: results are stored in live variables.
        unsafe {
            refuse((functions.version)(&mut major, &mut minor), "does not tell its version")?;
            refuse((functions.architecture_count)(&mut count), "does not tell its architectures")?;
        }
        let mut numbers = filled(usize::try_from(count).unwrap_or(0), 0)?;
        // SAFETY: as many elements as the library has said.
        refuse(unsafe { (functions.architectures)(numbers.as_mut_ptr()) }, "does not tell its architectures")?;
        let architectures = numbers.into_iter().map(c_int::unsigned_abs).collect();
        Ok(Self { functions, version: (major, minor), architectures })
    }

    /// The version, such as 13.0.
    pub fn version(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }

    /// The target for a device: machine code, or PTX for a device newer than the compiler.
    ///
    /// # Errors
    /// [`Code::Device`] for a device older than the compiler supports.
    pub fn target(&self, capability: u32) -> Result<Target> {
        let older = self.architectures.iter().copied().filter(|supported| *supported <= capability).max();
        match older {
            Some(supported) if supported == capability => Ok(Target::Cubin(capability)),
            Some(newest) if self.architectures.last() == Some(&newest) => Ok(Target::Ptx(newest)),
            // Machine code runs on later devices of one generation.
            Some(supported) if supported / 10 == capability / 10 => Ok(Target::Cubin(supported)),
            _ => {
                let (device, version) = (f64::from(capability) / 10.0, self.version());
                let message = format!("NVRTC {version} does not compile for devices of compute capability {device:.1}");
                Err(Error::new(Code::Device, message))
            }
        }
    }

    /// Compiles with [`COMPILE_OPTIONS`] and further options.
    ///
    /// # Errors
    /// [`Code::Device`] with the first error of the compiler.
    pub fn compile(&self, source: &str, target: Target, options: &[&str]) -> Result<Compiled> {
        let source = text(source)?;
        let mut all = vec![text(&format!("--gpu-architecture={target}"))?];
        for option in COMPILE_OPTIONS.iter().chain(options) {
            all.push(text(option)?);
        }
        let pointers: Vec<_> = all.iter().map(|option| option.as_ptr()).collect();
        let program = self.program(&source)?;
        // SAFETY: a live program, and as many texts as the count says.
        let status = unsafe { (self.functions.compile)(program.program, pointers.len() as c_int, pointers.as_ptr()) };
        let log = program.read("has no log", self.functions.log_size, self.functions.log).unwrap_or_default();
        let log = CStr::from_bytes_until_nul(&log).map_or(String::new(), |log| log.to_string_lossy().into_owned());
        if status != 0 {
            let first = log.lines().find(|line| line.contains("error")).unwrap_or("without a message");
            let message = format!("NVRTC cannot compile for {target} (status {status}): {}", first.trim());
            return Err(Error::new(Code::Device, message));
        }
        let code = match target {
            Target::Cubin(_) => program.read("has no machine code", self.functions.cubin_size, self.functions.cubin),
            Target::Ptx(_) => program.read("has no PTX", self.functions.ptx_size, self.functions.ptx),
        }?;
        Ok(Compiled { code, log })
    }

    fn program(&self, source: &CStr) -> Result<OwnedProgram<'_>> {
        let (mut program, none) = (ptr::null_mut(), ptr::null());
        // SAFETY: texts that end with 0, and no headers.
        let status =
            unsafe { (self.functions.create)(&mut program, source.as_ptr(), c"stepwell.cu".as_ptr(), 0, none, none) };
        refuse(status, "does not take the source")?;
        Ok(OwnedProgram { functions: &self.functions, program })
    }
}

struct OwnedProgram<'a> {
    functions: &'a Functions,
    program: Program,
}

impl OwnedProgram<'_> {
    fn read(
        &self,
        action: &str,
        size: unsafe extern "C" fn(Program, *mut usize) -> c_int,
        read: unsafe extern "C" fn(Program, *mut c_char) -> c_int,
    ) -> Result<Vec<u8>> {
        let mut bytes = 0;
        // SAFETY: a live program.
        refuse(unsafe { size(self.program, &mut bytes) }, action)?;
        let mut out = filled(bytes, 0u8)?;
        // SAFETY: as many bytes as the library has said.
        refuse(unsafe { read(self.program, out.as_mut_ptr().cast()) }, action)?;
        Ok(out)
    }
}

impl Drop for OwnedProgram<'_> {
    fn drop(&mut self) {
        // SAFETY: a live program, which is not used again.
        unsafe { (self.functions.destroy)(&mut self.program) };
    }
}

/// Fails unless the status is 0.
fn refuse(status: c_int, action: &str) -> Result<()> {
    match status {
        0 => Ok(()),
        // NVRTC_ERROR_OUT_OF_MEMORY
        1 => Err(Error::new(Code::Memory, "NVRTC is out of memory")),
        _ => Err(Error::new(Code::Device, format!("NVRTC {action} (status {status})"))),
    }
}

fn text(source: &str) -> Result<CString> {
    CString::new(source).map_err(|error| Error::new(Code::Internal, error.to_string()))
}

/// Files of a folder whose names are `name` and a version. Absent folders have none.
fn in_folder(folder: &Path, name: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(name))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}
