//! Calls that come between steps whose outcomes the host does not know: restoring in another mode, moving, freeing, starting
//! anew, and a second session.

use stepwell_session::Value;

use super::job::{Job, n, numbers, object, rows, s, same_on_both};

fn skip() -> Value {
    object([("nonfinite", s("skip"))])
}

/// Makes the outcomes of all steps unknown until the host asks.
fn delay(job: &Job) {
    if let Some(emulator) = &job.emulator {
        emulator.set_read_delay(usize::MAX / 2);
    }
}

/// Steps of which the second and the last one are skipped, and unknown to the host.
fn steps(job: &mut Job) {
    for step in 0..5 {
        job.backward();
        if step % 3 == 1 {
            job.set_gradient(f64::INFINITY);
        }
        let optimizer = job.optimizer.clone();
        job.call("step", [optimizer, skip()]);
    }
}

/// The state of the optimizer with or without `offload`.
fn state_with_offload(job: &mut Job, offload: bool) -> Value {
    let optimizer = job.optimizer.clone();
    let Value::Object(mut entries) = job.call("state", [optimizer]) else { panic!("no state") };
    entries.retain(|(key, _)| key != "offload");
    if offload {
        entries.push(("offload".into(), Value::Bool(true)));
    }
    Value::Object(entries)
}

#[test]
fn a_state_goes_on_with_and_without_offload() {
    for (name, options) in rows() {
        for dtype in ["float", "bfloat16"] {
            same_on_both((name, &options), dtype, |job| {
                delay(job);
                steps(job);
                let mut seen = Vec::new();
                for offload in [true, false, true] {
                    let state = state_with_offload(job, offload);
                    let container = job.container.clone();
                    job.optimizer = job.call("opt", [state, container]);
                    let launches = job.emulator.as_ref().map(|emulator| emulator.counts().launches);
                    (0..2).for_each(|_| job.step(&skip()));
                    let after = job.emulator.as_ref().map(|emulator| emulator.counts().launches);
                    assert_eq!(
                        launches == after,
                        offload || after.is_none(),
                        "{name}: kernels run without offload only"
                    );
                    seen.push(job.result());
                }
                seen
            });
        }
    }
}

#[test]
fn parameters_that_change_type_between_unknown_steps_keep_their_state() {
    for (name, options) in rows() {
        same_on_both((name, &options), "float", |job| {
            delay(job);
            steps(job);
            let container = job.container.clone();
            let mut seen = Vec::new();
            for dtype in ["bfloat16", "double", "half", "float"] {
                job.set_dtype(dtype);
                job.call("to", [container.clone(), s(dtype)]);
                (0..2).for_each(|_| job.step(&skip()));
                seen.push(job.result());
            }
            seen
        });
    }
}

#[test]
fn an_optimizer_is_freed_and_made_again_while_its_steps_are_unknown() {
    for (name, options) in rows() {
        same_on_both((name, &options), "float", |job| {
            delay(job);
            steps(job);
            let optimizer = job.optimizer.clone();
            job.call("free", [optimizer.clone()]);
            let error = job.try_call("step", [optimizer.clone(), skip()]).unwrap_err();
            let again = job.try_call("skipped", [optimizer]).unwrap_err();
            let container = job.container.clone();
            job.optimizer = job.call("opt", [s(name), container, options.clone()]);
            steps(job);
            format!("{error} {again} {:?}", [error.code(), again.code()])
        });
    }
}

#[test]
fn a_parameter_is_freed_while_steps_are_unknown() {
    for (name, options) in rows() {
        same_on_both((name, &options), "float", |job| {
            delay(job);
            steps(job);
            let (weight, module) = (job.parameter("A.fc.weight"), job.module.clone());
            let errors = [weight, module].map(|object| {
                let freed = job.try_call("free", [object]).map(|_| ());
                format!("{freed:?}")
            });
            steps(job);
            errors
        });
    }
}

#[test]
fn a_session_starts_anew_while_steps_are_unknown() {
    for (name, options) in rows() {
        for device in [false, true] {
            let mut job = Job::new(device, "float", name, &options);
            delay(&job);
            steps(&mut job);
            let optimizer = job.optimizer.clone();
            job.call("reset", []);
            let error = job.try_call("step", [optimizer, skip()]).unwrap_err();
            assert_eq!(error.code().as_str(), "ERR_HANDLE_FREED", "{name}: {error}");
            let parameter = job.call("tensor", [numbers(1, &[3]), s("grad")]);
            let optimizer = job.call("opt", [s(name), parameter.clone(), options.clone()]);
            job.call("grad", [parameter.clone(), Value::Array([1.0, 0.5, -0.25].map(n).to_vec())]);
            let before = format!("{:?}", job.call("data", [parameter.clone()]));
            job.call("step", [optimizer.clone(), skip()]);
            assert_ne!(format!("{:?}", job.call("data", [parameter])), before, "{name}");
            assert_eq!(job.call("skipped", [optimizer]), n(0.0), "{name}");
        }
    }
}

#[test]
fn two_sessions_with_devices_of_their_own_do_not_meet() {
    for (name, options) in rows() {
        let mut alone = Job::new(true, "float", name, &options);
        let mut pair = [(); 2].map(|()| Job::new(true, "float", name, &options));
        for job in pair.iter().chain([&alone]) {
            delay(job);
        }
        steps(&mut alone);
        for step in 0..5 {
            for job in &mut pair {
                job.backward();
                if step % 3 == 1 {
                    job.set_gradient(f64::INFINITY);
                }
                let optimizer = job.optimizer.clone();
                job.call("step", [optimizer, skip()]);
            }
        }
        let expected = alone.result();
        let [mut first, mut second] = pair;
        assert!(first.result() == expected, "{name}");
        drop(first);
        assert!(second.result() == expected, "{name}");
        second.step(&skip());
        alone.step(&skip());
        assert!(second.result() == alone.result(), "{name}");
    }
}
