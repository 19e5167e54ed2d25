//! Compilation for one device, with a cache.

use std::path::PathBuf;
use std::sync::OnceLock;

use stepwell_optim::Result;

use crate::driver::kernel_cache::KernelCache;
use crate::driver::nvrtc::{COMPILE_OPTIONS, Nvrtc, Target};

/// NVRTC, which is loaded at the first compilation, and the cache of its results.
pub(crate) struct Compiler {
    folders: Vec<PathBuf>,
    cache: KernelCache,
    nvrtc: OnceLock<Nvrtc>,
}

impl Compiler {
    /// `folders` may have NVRTC. `cache` is the folder of compiled kernels; `None` stores none.
    pub(crate) fn new(folders: Vec<PathBuf>, cache: Option<PathBuf>) -> Self {
        Self { folders, cache: KernelCache::new(cache), nvrtc: OnceLock::new() }
    }

    /// The code of a source for a compute capability times ten. `load` loads it. Unless it loads, an entry of the cache is
    /// compiled anew.
    pub(crate) fn compiled<R>(
        &self,
        source: &str,
        capability: u32,
        mut load: impl FnMut(&[u8]) -> Result<R>,
    ) -> Result<R> {
        let nvrtc = self.nvrtc()?;
        let target = nvrtc.target(capability)?;
        let key = key(&nvrtc.version(), target, source);
        if let Some(loaded) = self.cache.read(&key).and_then(|code| load(&code).ok()) {
            return Ok(loaded);
        }
        let compiled = nvrtc.compile(source, target, &[])?;
        let loaded = load(&compiled.code)?;
        self.cache.write(&key, &compiled.code);
        Ok(loaded)
    }

    fn nvrtc(&self) -> Result<&Nvrtc> {
        if let Some(nvrtc) = self.nvrtc.get() {
            return Ok(nvrtc);
        }
        let nvrtc = Nvrtc::open(&self.folders)?;
        Ok(self.nvrtc.get_or_init(|| nvrtc))
    }
}

/// The key of a compilation in the cache: all that its result follows from.
fn key(nvrtc: &str, target: Target, source: &str) -> String {
    let (stepwell, options) = (env!("CARGO_PKG_VERSION"), COMPILE_OPTIONS.join(" "));
    format!("stepwell {stepwell}\nnvrtc {nvrtc}\n{options}\n{target}\n{source}")
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::{env, fs, process};

    use stepwell_optim::{Code, Error, Result};

    use crate::driver::compiler::{Compiler, key};
    use crate::driver::kernel_cache::KernelCache;
    use crate::driver::nvrtc::Target;

    const SOURCE: &str = "extern \"C\" __global__ void twice(float* x) { x[threadIdx.x] = 2.0f * x[threadIdx.x]; }";

    /// The folder of the pinned NVRTC, which `scripts/nvrtc.mjs` fetches.
    fn nvrtc() -> Result<PathBuf> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/nvrtc.mjs");
        let output = Command::new("node").arg(script).output();
        let output = output.map_err(|error| Error::new(Code::File, error.to_string()))?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
    }

    /// Compiles for a capability with a cache. Returns the code.
    fn compiled(nvrtc: &Path, cache: &Path, source: &str, capability: u32) -> Result<Vec<u8>> {
        let compiler = Compiler::new(vec![nvrtc.into()], Some(cache.into()));
        compiler.compiled(source, capability, |code| Ok(code.to_vec()))
    }

    #[test]
    fn compiles_once_and_repairs_the_cache() -> Result<()> {
        let nvrtc = nvrtc()?;
        let folder = env::temp_dir().join(format!("stepwell-compiler-{}", process::id()));
        let code = compiled(&nvrtc, &folder, SOURCE, 90)?;
        assert!(code.starts_with(b"\x7fELF"), "machine code");
        let newer = compiled(&nvrtc, &folder, SOURCE, 999)?;
        assert!(newer.starts_with(b"//") && newer.ends_with(&[0]), "PTX for a device newer than the compiler");

        // An entry of the cache is used instead of the compiler.
        let version = Compiler::new(vec![nvrtc.clone()], None).nvrtc()?.version();
        let cache = KernelCache::new(Some(folder.clone()));
        let key = key(&version, Target::Cubin(90), SOURCE);
        assert_eq!(cache.read(&key), Some(code.clone()));
        cache.write(&key, b"of the cache");
        assert_eq!(compiled(&nvrtc, &folder, SOURCE, 90)?, b"of the cache");

        // An entry that the device does not take is compiled anew.
        let compiler = Compiler::new(vec![nvrtc], Some(folder.clone()));
        let refuse_other = |code: &[u8]| match code.starts_with(b"\x7fELF") {
            true => Ok(()),
            false => Err(Error::new(Code::Device, "not machine code")),
        };
        compiler.compiled(SOURCE, 90, refuse_other)?;
        assert_eq!(cache.read(&key), Some(code));
        let _ = fs::remove_dir_all(folder);
        Ok(())
    }

    #[test]
    fn says_why_it_does_not_compile() -> Result<()> {
        let nvrtc = nvrtc()?;
        let absent = env::temp_dir().join("stepwell-absent");
        let error =
            compiled(&nvrtc, &absent, "this is not CUDA", 90).err().map(|error| (error.code(), error.to_string()));
        let (code, text) = error.unwrap_or((Code::Internal, String::new()));
        assert!(code == Code::Device && text.contains("sm_90") && text.contains("error"), "{text}");
        let error = compiled(&nvrtc, &absent, SOURCE, 35).err().map(|error| (error.code(), error.to_string()));
        let (code, text) = error.unwrap_or((Code::Internal, String::new()));
        assert!(code == Code::Device && text.contains("compute capability 3.5"), "{text}");
        Ok(())
    }

    #[test]
    fn an_absent_compiler_is_an_error_of_the_device() {
        let compiler = Compiler::new(vec!["/absent/folder".into()], None);
        let error = compiler.compiled(SOURCE, 90, |_| Ok(())).err().map(|error| (error.code(), error.to_string()));
        // A machine may have NVRTC in the folders of the system.
        if let Some((code, text)) = error {
            assert_eq!(code, Code::Device);
            assert!(text.contains("/absent/folder") && text.contains("nvidia-cuda-nvrtc"), "{text}");
        }
    }
}
