//! The state that a device holds: reading, restoring, swapping averages, and moves between host and device.

use std::sync::atomic::Ordering;

use stepwell_session::Value;

use super::job::{n, object, rows, same_on_both, with};

#[test]
fn reading_the_state_between_steps_changes_nothing() {
    for (name, options) in rows() {
        same_on_both((name, &options), "float", |job| {
            let mut seen = Vec::new();
            for _ in 0..3 {
                job.step(&object([]));
                seen.push(job.result());
            }
            seen
        });
    }
}

#[test]
fn a_restored_optimizer_goes_on() {
    for (name, options) in rows() {
        for dtype in ["float", "half"] {
            same_on_both((name, &options), dtype, |job| {
                (0..2).for_each(|_| job.step(&object([])));
                let (optimizer, container) = (job.optimizer.clone(), job.container.clone());
                let saved = [optimizer, container].map(|object| job.call("state", [object]));
                let [optimizer, container] = saved;
                let container = job.call("module", [container]);
                job.optimizer = job.call("opt", [optimizer, container.clone()]);
                job.container = container;
                let restored = job.result();
                (0..2).for_each(|_| job.step(&object([])));
                restored
            });
        }
    }
}

#[test]
fn averages_swap_and_swap_back() {
    for (name, options) in rows() {
        let options = with(&options, object([("average", n(0.5))]));
        for dtype in ["float", "bfloat16"] {
            same_on_both((name, &options), dtype, |job| {
                (0..2).for_each(|_| job.step(&object([])));
                let optimizer = job.optimizer.clone();
                let first = job.call("average", [optimizer.clone()]);
                let swapped = job.result();
                let second = job.call("average", [optimizer]);
                job.step(&object([]));
                (first, swapped, second)
            });
        }
    }
}

#[test]
fn a_module_that_moves_keeps_its_state() {
    for (name, options) in rows() {
        for dtype in ["float", "bfloat16"] {
            same_on_both((name, &options), dtype, |job| {
                for on_device in [true, true, false, false, true] {
                    job.on_device.store(on_device, Ordering::Relaxed);
                    let launches = job.emulator.as_ref().map(|emulator| emulator.counts().launches);
                    job.step(&object([]));
                    let after = job.emulator.as_ref().map(|emulator| emulator.counts().launches);
                    assert_eq!(launches != after, on_device && after.is_some(), "kernels run on the device only");
                }
            });
        }
    }
}

#[test]
fn a_parameter_that_is_added_gets_its_state() {
    for (name, options) in rows() {
        same_on_both((name, &options), "float", |job| {
            job.step(&object([]));
            let numbers = Value::Array([0.5, 1.5].map(n).to_vec());
            let added = job.call("tensor", [numbers.clone(), Value::string("float"), Value::string("grad")]);
            let optimizer = job.optimizer.clone();
            job.call("opt", [optimizer, n(1.0), added.clone(), object([("lr", n(0.125))])]);
            job.call("grad", [added.clone(), numbers]);
            job.step(&object([]));
            job.call("tensor", [added])
        });
    }
}
