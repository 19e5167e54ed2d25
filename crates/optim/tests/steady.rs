//! A step on unchanged views allocates nothing and causes no page fault, with one thread and with several.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use stepwell_optim::{CATALOG, Clip, Optimizer, OptionValue, StepOptions, View};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// Counts allocations of the system's allocator.
struct Counting;

// SAFETY: delegates to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Page faults of this process without disk access.
#[cfg(target_os = "linux")]
fn faults() -> i64 {
    // SAFETY: the call fills a struct of numbers.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage.ru_minflt
    }
}

#[cfg(not(target_os = "linux"))]
fn faults() -> i64 {
    0
}

#[test]
fn a_steady_step_allocates_nothing_and_faults_on_no_page() {
    // One test, since the counters are per process.
    let average = ("average".to_owned(), OptionValue::Float(0.9));
    for definition in CATALOG.iter().filter(|definition| !definition.needs_closure()) {
        for named in [Vec::new(), vec![average.clone()]] {
            for threads in [1, 2] {
                for clip in [Clip::None, Clip::Norm(0.1)] {
                    let mut optimizer = Optimizer::new(definition, &[], &named).unwrap();
                    let row = optimizer.plan(0, &[], &[]).unwrap();
                    optimizer.edit(0, row, 42).unwrap();
                    let lengths = || [1_300_000, 40_000].into_iter().chain([10; 40]);
                    let mut parameters: Vec<_> = lengths().map(|length| vec![0.5f32; length]).collect();
                    let mut gradients: Vec<_> = lengths().map(|length| vec![0.1f32; length]).collect();
                    let pairs = parameters.iter_mut().zip(&mut gradients);
                    let mut views: Vec<_> = pairs.map(|(p, g)| Some(View::Float(p, g))).collect();
                    let options = StepOptions { clip, threads, ..StepOptions::default() };
                    let mut step = || {
                        let before = (ALLOCATIONS.load(Ordering::Relaxed), faults());
                        optimizer.step(&mut views, options).unwrap();
                        (ALLOCATIONS.load(Ordering::Relaxed) - before.0, faults() - before.1)
                    };
                    // The first step makes the state. A worker may start in the second, and touch its stack.
                    assert!(step().0 > 0);
                    step();
                    let steady: Vec<_> = (0..8).map(|_| step()).collect();
                    let what = format!("{} {named:?} {clip:?}, {threads} threads: {steady:?}", definition.name);
                    assert!(steady.iter().all(|(allocations, _)| *allocations == 0), "{what}");
                    // A worker that enters its first job late touches its stack then, and the system may take any page
                    // away. Faults caused by the step itself would occur in every step.
                    let faulting = steady.iter().filter(|(_, faults)| *faults > 0).count();
                    assert!(faulting <= threads, "{what}");
                }
            }
        }
    }
}
