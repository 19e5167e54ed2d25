//! The library with NCCL is loaded at the first tensor of a GPU. If a process cannot use it, no process waits for it. Here each process is a thread, and
//! libraries of a test take its place: it needs GPUs.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "clippy exempts tests, but not their helpers")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;
use std::{env, fs};

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use stepwell_distributed::{Operation, ProcessGroup};
use stepwell_optim::Code;
use stepwell_session::GroupSettings;

/// The errors of processes that use GPUs, each with the library of its rank. Their group must go on with tensors of the CPU.
fn errors(libraries: &[Option<PathBuf>]) -> Vec<Option<(Code, String)>> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let size = libraries.len();
    thread::scope(|scope| {
        let ranks = libraries.iter().enumerate().map(|(rank, library)| {
            scope.spawn(move || {
                let (host, timeout) = ("127.0.0.1".to_owned(), Duration::from_secs(60));
                let hosts_store = rank == 0;
                let settings = GroupSettings { rank, size, host, port, timeout, hosts_store, interface: None };
                let group = ProcessGroup::connect(&settings, library.as_deref()).unwrap();
                let [first, second] = [0, 1].map(|_| group.agreed().use_gpus().err());
                assert_eq!(first, second);
                let sent = tch::Tensor::from_slice(&[rank as f64]);
                group
                    .agree(Operation::Broadcast(size - 1), &[&sent])
                    .unwrap()
                    .broadcast(&sent, size - 1)
                    .unwrap()
                    .wait()
                    .unwrap();
                assert_eq!(f64::try_from(&sent).unwrap(), (size - 1) as f64);
                first.map(|error| (error.code(), error.to_string()))
            })
        });
        let ranks: Vec<_> = ranks.collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

/// A library from the text of a function body, which has the names of nccl.h.
fn library(name: &str, function: &str, body: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (text, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
    let source = format!(
        "#include <stdint.h>\n#include <stdio.h>\nint {function}(void *store, const char *prefix, int rank, int size, int64_t timeout, void **group, char *message) {{ {body} }}\n"
    );
    fs::write(&text, source).unwrap();
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let status = Command::new(compiler).args(["-shared", "-fPIC", "-o"]).args([&library, &text]).status().unwrap();
    assert!(status.success());
    library
}

#[track_caller]
fn assert_errors(libraries: &[Option<PathBuf>], expected: &[(Code, &str)]) {
    let given = errors(libraries);
    assert_eq!(given.len(), expected.len());
    for (rank, (given, (code, text))) in given.iter().zip(expected).enumerate() {
        assert!(
            given.as_ref().is_some_and(|given| given.0 == *code && given.1.contains(text)),
            "rank {rank}: {given:?}"
        );
    }
}

#[test]
fn an_absent_library_is_an_error_on_all_processes() {
    let absent = PathBuf::from("/absent/libstepwell_nccl.so");
    let text =
        "exchange tensors of GPUs by NCCL, and /absent/libstepwell_nccl.so does not exist. `npm run setup` builds it";
    assert_errors(&vec![Some(absent.clone()); 2], &[(Code::Device, text); 2]);
    assert_errors(&[None], &[(Code::Device, "no library for it is known")]);
    let usable = library("usable", "stepwell_nccl_group", "return 0;");
    let other = (Code::Distributed, "rank 1 cannot exchange tensors of its GPU, and says why");
    assert_errors(&[Some(usable), Some(absent)], &[other, (Code::Device, text)]);
}

#[test]
fn a_library_that_does_not_fit_is_an_error() {
    let text = Path::new(env!("CARGO_TARGET_TMPDIR")).join("text.so");
    fs::write(&text, "no library").unwrap();
    let nameless = library("nameless", "another_function", "return 0;");
    let unresolved =
        library("unresolved", "stepwell_nccl_group", "extern int absent_symbol(); return absent_symbol();");
    for (library, reason) in
        [(text, "file too short"), (nameless, "stepwell_nccl_group"), (unresolved, "absent_symbol")]
    {
        let expected = format!("{} cannot be loaded: ", library.display());
        let given = errors(&[Some(library)]);
        let [Some((Code::Device, message))] = &given[..] else { panic!("{given:?}") };
        assert!(message.contains(&expected) && message.contains(reason), "{message}");
    }
}

#[test]
fn a_process_without_a_gpu_is_an_error_on_all_processes() {
    let body = "if (rank == 1) snprintf(message, 1024, \"no GPUs found\"); return rank == 1;";
    let refusing = Some(library("refusing", "stepwell_nccl_group", body));
    let other = (Code::Distributed, "rank 1 cannot exchange tensors of its GPU, and says why");
    assert_errors(&vec![refusing; 2], &[other, (Code::Device, "NCCL cannot be used: no GPUs found")]);
    // All use one name in the store, and each group another one.
    let body = "snprintf(message, 1024, \"%s %d %d\", prefix, size, (int)timeout); return 1;";
    let naming = Some(library("naming", "stepwell_nccl_group", body));
    let [first, second] = [0, 1].map(|_| errors(&vec![naming.clone(); 3]));
    assert!(first.iter().all(|error| *error == first[0]), "{first:?}");
    assert!(first[0].as_ref().is_some_and(|(_, text)| text.ends_with(" 3 60000")), "{first:?}");
    assert_ne!(first[0], second[0]);
}

/// Where there is libtorch's CUDA library, for which the set-up has built the library.
#[test]
fn the_library_of_the_set_up_needs_nothing_but_gpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let library = root.join("packages/native/addon/linux-x64/libstepwell_nccl.so");
    let cuda = env::var_os("LIBTORCH").map(|torch| PathBuf::from(torch).join("lib/libtorch_cuda.so"));
    let Some(cuda) = cuda.filter(|cuda| cuda.exists() && library.exists()) else { return };
    // SAFETY: initializers of libtorch.
    let loaded = unsafe { Library::open(Some(cuda), RTLD_NOW | RTLD_GLOBAL) }.unwrap();
    let _ = loaded.into_raw();
    let of_set_up = vec![Some(library); 2];
    let lacks = "NCCL cannot be used: the environment lacks TORCH_NCCL_BLOCKING_WAIT=1";
    assert_errors(&of_set_up, &[(Code::Device, lacks); 2]);
    // SAFETY: no other thread reads or writes variables now.
    unsafe { env::set_var("TORCH_NCCL_BLOCKING_WAIT", "1") };
    match fs::exists("/dev/nvidia0") {
        Ok(true) => assert_eq!(errors(&of_set_up), [None, None]),
        _ => assert_errors(&of_set_up, &[(Code::Device, "no GPUs found"); 2]),
    }
}
