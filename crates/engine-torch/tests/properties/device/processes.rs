//! Several processes whose parameters are on a device. Here each process is a thread, and Gloo takes the place of NCCL.

use std::thread;

use stepwell_session::Value;

use super::job::{Job, n, object, rows, s, with};
use crate::reduction::free_port;

/// The results of each process of a training on the CPU or on a device.
fn trained(
    device: bool,
    size: usize,
    sharded: bool,
    (name, options): (&str, &Value),
    dtype: &'static str,
) -> Vec<String> {
    let port = f64::from(free_port());
    thread::scope(|scope| {
        let ranks = (0..size).map(|rank| {
            scope.spawn(move || {
                let mut job = Job::new(device, dtype, name, options);
                let group = object([("rank", n(rank as f64)), ("size", n(size as f64)), ("port", n(port))]);
                job.call("initProcessGroup", [s("127.0.0.1"), Value::Null, group]);
                // The state of the first step is the one of this process alone.
                job.step(&object([("zerograd", Value::Bool(true))]));
                let optimizer = job.optimizer.clone();
                job.call("distributed", [optimizer, object([("sharded", Value::Bool(sharded))])]);
                job.set_inputs(100 * rank);
                let step = |more| with(&object([("zerograd", Value::Bool(true)), ("nonfinite", s("skip"))]), more);
                job.step(&step(object([])));
                job.step(&step(object([("clipnorm", n(0.01))])));
                job.backward();
                if rank + 1 == size {
                    job.set_gradient(f64::INFINITY);
                }
                let optimizer = job.optimizer.clone();
                job.call("step", [optimizer, step(object([]))]);
                job.step(&object([("clipvalue", n(0.5))]));
                let launches = job.emulator.as_ref().map_or(0, |emulator| emulator.counts().launches);
                assert_eq!(launches > 0, device, "{name} {dtype}: {launches} launches");
                job.result()
            })
        });
        let ranks: Vec<_> = ranks.collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

#[test]
fn processes_with_devices_have_the_bits_of_processes_without() {
    for (row, (name, options)) in rows().iter().enumerate() {
        let (size, dtype) = (1 + row % 3, ["float", "double", "half", "bfloat16"][row % 4]);
        for sharded in [false, true] {
            let expected = trained(false, size, sharded, (name, options), dtype);
            let given = trained(true, size, sharded, (name, options), dtype);
            assert!(given == expected, "{name} {dtype}, {size} processes, sharded {sharded}: the results differ");
        }
    }
}
