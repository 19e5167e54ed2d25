//! Steps with all that a step can do in addition.

use std::sync::atomic::Ordering;

use stepwell_optim::Code;
use stepwell_session::{Data, Value};

use super::job::{Job, n, numbers, object, rows, s, same_on_both, with};

const DTYPES: [&str; 4] = ["float", "double", "half", "bfloat16"];

#[test]
fn every_optimizer_and_dtype() {
    for (name, options) in rows() {
        for dtype in DTYPES {
            same_on_both((name, &options), dtype, |job| {
                for _ in 0..3 {
                    job.step(&object([("zerograd", Value::Bool(true))]));
                }
            });
        }
    }
}

#[test]
fn clipping_averages_and_small_moments() {
    for (name, options) in rows() {
        let options = with(&options, object([("average", n(0.9))]));
        same_on_both((name, &options), "float", |job| {
            for clip in [("clipnorm", n(0.001)), ("clipvalue", n(0.0001)), ("clipnorm", n(1e6))] {
                job.step(&object([clip]));
            }
        });
    }
    for name in ["adam", "lamb"] {
        same_on_both((name, &object([("moments", s("bfloat16"))])), "float", |job| {
            (0..3).for_each(|_| job.step(&object([])));
        });
    }
}

#[test]
fn a_loss_scale_skips_and_backs_off() {
    for (name, options) in rows() {
        same_on_both((name, &options), "float", |job| {
            let optimizer = job.optimizer.clone();
            job.call("lossscale", [optimizer.clone(), object([("init", n(1024.0)), ("interval", n(2.0))])]);
            let mut scales = Vec::new();
            for step in 0..6 {
                job.backward();
                if step == 3 {
                    job.set_gradient(f64::INFINITY);
                }
                let options = object([("zerograd", Value::Bool(step % 2 == 1))]);
                job.call("step", [optimizer.clone(), options]);
                scales.push(format!("{}", job.call("lossscale", [optimizer.clone()])));
            }
            scales
        });
    }
}

#[test]
fn a_step_that_may_be_skipped_does_not_wait() {
    for (name, options) in rows() {
        let mut job = Job::new(true, "float", name, &options);
        let (optimizer, emulator) = (job.optimizer.clone(), job.emulator.clone().unwrap());
        let skip = object([("nonfinite", s("skip")), ("zerograd", Value::Bool(true)), ("clipnorm", n(0.5))]);
        emulator.set_read_delay(usize::MAX / 2);
        // The first step makes state, and knows its outcome.
        job.step(&skip);
        // The second has memory for more constants than the first had.
        job.step(&skip);
        for step in 0..6 {
            job.backward();
            if step % 3 == 1 {
                job.set_gradient(f64::INFINITY);
            }
            emulator.reset_counts();
            job.call("lr", [optimizer.clone(), Value::Array(vec![n(0.1), n(0.2)])]);
            job.call("step", [optimizer.clone(), skip.clone()]);
            let counts = emulator.counts();
            assert_eq!((counts.allocations, counts.downloads, counts.waits), (0, 0, 0), "{name}");
        }
        emulator.reset_counts();
        assert_eq!(job.call("skipped", [optimizer]), n(2.0), "{name}");
        assert!(emulator.counts().waits > 0, "{name}");
    }
}

#[test]
fn gradients_follow_a_scale_that_the_host_learns_later() {
    for (name, options) in rows() {
        same_on_both((name, &options), "float", |job| {
            if let Some(emulator) = &job.emulator {
                emulator.set_read_delay(usize::MAX / 2);
            }
            let optimizer = job.optimizer.clone();
            // Products with these factors round, so that the order of operations shows.
            let scale = [("init", n(1024.0)), ("interval", n(2.0)), ("growth", n(3.0)), ("backoff", n(0.3))];
            job.call("lossscale", [optimizer.clone(), object(scale)]);
            let mut seen = Vec::new();
            for step in 0..14 {
                job.backward();
                if step % 4 == 3 {
                    job.set_gradient(f64::INFINITY);
                }
                job.call("step", [optimizer.clone(), object([("zerograd", Value::Bool(step % 5 == 0))])]);
                let loose = job.parameter("parms.0");
                // Ways to read or change gradients before the host asks for the scale.
                match step % 7 {
                    0 => seen.push(job.call("grad", [loose])),
                    1 => seen.push(job.call("clip", [optimizer.clone(), n(0.5)])),
                    2 => drop(job.call("zerograd", [optimizer.clone()])),
                    3 => drop(job.call("nograd", [optimizer.clone()])),
                    4 => job.set_gradient(0.25),
                    5 => seen.push(job.call("skipped", [optimizer.clone()])),
                    _ => {}
                }
            }
            format!("{seen:?}")
        });
    }
}

#[test]
fn a_model_reports_the_steps_that_the_device_skips() {
    for (name, options) in rows() {
        same_on_both((name, &options), "float", |job| {
            if let Some(emulator) = &job.emulator {
                emulator.set_read_delay(usize::MAX / 2);
            }
            let (module, optimizer) = (job.module.clone(), job.optimizer.clone());
            let loss = job.call("loss", [s("mse")]);
            let model = job.call("model", [module, loss, optimizer]);
            let mut inputs = numbers(5, &[5, 130]);
            if let Value::NumericArray(array) = &mut inputs
                && let Data::Float(elements) = &mut array.data
            {
                // In the third batch of one sample.
                elements[2 * 130 + 7] = f32::NAN;
            }
            job.call("train", [model.clone(), object([("batchsize", n(1.0)), ("nonfinite", s("skip"))])]);
            job.call("train", [model.clone(), inputs, numbers(6, &[5, 127])]);
            let reports: Vec<_> =
                (0..5).map(|_| format!("{:?}", job.call("batch", [model.clone(), Value::Bool(true)]))).collect();
            assert!(reports[2].contains("NaN") && reports[2] != reports[3], "{reports:?}");
            reports
        });
    }
}

#[test]
fn gradients_that_are_not_finite_are_errors_that_change_nothing() {
    for (name, options) in rows() {
        same_on_both((name, &options), "float", |job| {
            job.step(&object([]));
            job.set_gradient(f64::NAN);
            let optimizer = job.optimizer.clone();
            let error = job.try_call("step", [optimizer, object([("nonfinite", s("error"))])]).unwrap_err();
            job.set_gradient(0.0);
            (error.code(), error.to_string())
        });
    }
}

#[test]
fn frozen_parameters_stay_and_go_on() {
    for (name, options) in rows() {
        same_on_both((name, &options), "float", |job| {
            job.step(&object([]));
            let loose = job.parameter("parms.0");
            job.call("gradflag", [loose.clone(), Value::Bool(false)]);
            job.set_gradient(2.0);
            let optimizer = job.optimizer.clone();
            job.call("step", [optimizer, object([("zerograd", Value::Bool(true))])]);
            job.call("gradflag", [loose, Value::Bool(true)]);
            job.step(&object([]));
        });
    }
}

#[test]
fn parameters_on_two_devices_step_where_they_are() {
    let options_of_steps = || {
        let skip = || ("nonfinite", s("skip"));
        [
            object([]),
            object([("clipnorm", n(0.001))]),
            object([skip()]),
            object([skip(), ("zerograd", Value::Bool(true))]),
        ]
    };
    for (name, options) in rows() {
        for dtype in ["float", "bfloat16"] {
            let device = same_on_both((name, &options), dtype, |job| {
                job.step(&object([]));
                // The state of the loose tensor moves to the second device, and back at the end.
                job.is_split.store(true, Ordering::Relaxed);
                for (step, options) in options_of_steps().into_iter().enumerate() {
                    job.backward();
                    if step == 2 {
                        job.set_gradient(f64::INFINITY);
                    }
                    let optimizer = job.optimizer.clone();
                    job.call("step", [optimizer, options]);
                }
                let seen = job.result();
                job.is_split.store(false, Ordering::Relaxed);
                job.step(&object([]));
                seen
            });
            assert!(device.second.counts().launches > 0, "{name}");
        }
    }
}

#[test]
fn a_change_of_rates_reaches_the_device() {
    for (name, options) in rows() {
        same_on_both((name, &options), "float", |job| {
            job.step(&object([]));
            let optimizer = job.optimizer.clone();
            job.call("lr", [optimizer, Value::Array(vec![n(0.5), n(0.25)])]);
            job.step(&object([]));
        });
    }
}

#[test]
fn a_full_device_is_an_error_that_changes_nothing() {
    let (name, options) = rows().remove(1);
    let mut job = Job::new(true, "float", name, &options);
    job.set_gradient(1.0);
    let before = job.result();
    let emulator = job.emulator.clone().unwrap();
    emulator.set_memory_limit(0);
    let optimizer = job.optimizer.clone();
    let error = job.try_call("step", [optimizer.clone(), object([])]).unwrap_err();
    assert_eq!(error.code(), Code::Memory, "{error}");
    emulator.set_memory_limit(usize::MAX);
    assert_eq!(job.result(), before);
    job.call("step", [optimizer, object([])]);
    assert_ne!(job.result(), before);
}

#[test]
fn a_steady_step_allocates_nothing_and_does_not_wait() {
    for (name, options) in rows() {
        let mut job = Job::new(true, "float", name, &options);
        let skip = object([("clipnorm", n(0.5)), ("nonfinite", s("skip"))]);
        for clip in [object([]), object([("clipnorm", n(0.5))]), skip] {
            (0..3).for_each(|_| job.step(&clip));
            let emulator = job.emulator.clone().unwrap();
            emulator.reset_counts();
            job.step(&clip);
            let counts = emulator.counts();
            assert_eq!((counts.allocations, counts.downloads), (0, 0), "{name}");
            assert!(counts.launches > 0, "{name}");
        }
    }
}
