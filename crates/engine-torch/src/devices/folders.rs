//! Folders of NVRTC and of compiled kernels.

use std::env;
use std::path::PathBuf;

use crate::shim;

/// Folders that may have NVRTC, next to libtorch: of its wheel and of NVIDIA's wheels.
pub(crate) fn nvrtc_folders() -> Vec<PathBuf> {
    let Some(library) = shim::libtorch_path() else { return Vec::new() };
    let paths = [library.canonicalize().ok(), Some(library)];
    let mut folders = Vec::new();
    for lib in paths.iter().flatten().filter_map(|path| path.parent()) {
        folders.push(lib.to_owned());
        if let Some(packages) = lib.parent().and_then(|torch| torch.parent()) {
            folders.extend(["cu13", "cuda_nvrtc"].map(|wheel| packages.join("nvidia").join(wheel).join("lib")));
        }
    }
    folders
}

/// The folder of compiled kernels, next to the cache of libtorch (`userFolder` in packages/native/libtorch.js); `None` if the
/// environment has no home folder.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else {
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))
    };
    Some(base?.join("stepwell").join("kernels"))
}

#[cfg(test)]
mod tests {
    use crate::devices::folders::nvrtc_folders;

    #[test]
    fn the_first_folder_has_libtorch() {
        let folders = nvrtc_folders();
        assert!(folders.first().is_some_and(|folder| folder.join("libtorch_cpu.so").exists()), "{folders:?}");
        assert!(folders.iter().any(|folder| folder.ends_with("nvidia/cu13/lib")), "{folders:?}");
    }
}
