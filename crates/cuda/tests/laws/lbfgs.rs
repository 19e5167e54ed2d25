//! Steps of L-BFGS on the emulator, against the same steps on the host.

use std::sync::Arc;

use stepwell_cuda::{Counts, Emulator};
use stepwell_optim::{
    AnyLbfgsStateDict, CHUNK_LEN, Code, Device, DeviceObjective, Element, Error, LbfgsState, LbfgsStateDict, Objective,
    Optimizer, OptionValue, Plain, Result, Scalar, bytes_of, bytes_of_mut, definition,
};

use crate::model::option;

/// A type of elements with the functions of steps for it.
trait Real: Scalar + Plain {
    const ELEMENT: Element;
    fn step_on_host(
        optimizer: &Optimizer,
        from: &[Self],
        objective: &mut dyn Objective<Self>,
    ) -> Result<(f64, LbfgsState)>;
    fn dict(dict: AnyLbfgsStateDict) -> LbfgsStateDict<Self>;
}

impl Real for f32 {
    const ELEMENT: Element = Element::Float;
    fn step_on_host(
        optimizer: &Optimizer,
        from: &[f32],
        objective: &mut dyn Objective<f32>,
    ) -> Result<(f64, LbfgsState)> {
        optimizer.closure_step().minimize_f32(from, objective)
    }
    fn dict(dict: AnyLbfgsStateDict) -> LbfgsStateDict<f32> {
        if let AnyLbfgsStateDict::Float(dict) = dict { dict } else { panic!("another type") }
    }
}

impl Real for f64 {
    const ELEMENT: Element = Element::Double;
    fn step_on_host(
        optimizer: &Optimizer,
        from: &[f64],
        objective: &mut dyn Objective<f64>,
    ) -> Result<(f64, LbfgsState)> {
        optimizer.closure_step().minimize_f64(from, objective)
    }
    fn dict(dict: AnyLbfgsStateDict) -> LbfgsStateDict<f64> {
        if let AnyLbfgsStateDict::Double(dict) = dict { dict } else { panic!("another type") }
    }
}

/// A bowl with a wave, and a curvature that differs from element to element. Elements of every 97th place have the gradient
/// 0, as frozen parameters do.
struct Bowl<T> {
    x: Vec<T>,
    /// 1, or -1 for a hill.
    sign: f64,
    /// The evaluation that fails.
    fails_at: Option<usize>,
    evaluations: usize,
}

impl<T: Real> Bowl<T> {
    fn new(length: usize, sign: f64) -> Self {
        let x = (0..length).map(|i| T::from_f64((i as f64 * 0.37).sin() * 2.0)).collect();
        Self { x, sign, fails_at: None, evaluations: 0 }
    }

    fn loss_and_gradient(&mut self) -> Result<(f64, Vec<T>)> {
        self.evaluations += 1;
        if self.fails_at == Some(self.evaluations) {
            return Err(Error::new(Code::Engine, "the closure fails"));
        }
        let (mut loss, mut gradient) = (0.0, Vec::new());
        for (i, x) in self.x.iter().enumerate() {
            let (x, c) = (x.to_f64(), 0.5 + (i % 13) as f64);
            let used = if i % 97 == 96 { 0.0 } else { self.sign };
            loss += used * (c * x * x + (3.0 * x).cos());
            gradient.push(T::from_f64(used * (2.0 * c * x - 3.0 * (3.0 * x).sin())));
        }
        Ok((loss, gradient))
    }
}

impl<T: Real> Objective<T> for Bowl<T> {
    fn set_parameters(&mut self, parameters: &[T]) -> Result<()> {
        self.x.copy_from_slice(parameters);
        Ok(())
    }

    fn evaluate(&mut self, to: &mut [T]) -> Result<f64> {
        let (loss, gradient) = self.loss_and_gradient()?;
        to.copy_from_slice(&gradient);
        Ok(loss)
    }
}

/// The bowl on a device, which is another one than the steps count on.
struct DeviceBowl<'a, T>(&'a mut Bowl<T>);

/// Copies past the emulator that counts.
fn pointer(address: u64) -> *mut u8 {
    std::ptr::with_exposed_provenance_mut(address as usize)
}

impl<T: Real> DeviceObjective for DeviceBowl<'_, T> {
    fn parameters(&mut self, to: u64) -> Result<()> {
        let bytes = bytes_of(&self.0.x);
        // SAFETY: the step gives the address of as many elements.
        unsafe { pointer(to).copy_from(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    fn set_parameters(&mut self, from: u64) -> Result<()> {
        let bytes = bytes_of_mut(&mut self.0.x);
        // SAFETY: as above.
        unsafe { pointer(from).copy_to(bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    fn evaluate(&mut self, to: u64) -> Result<f64> {
        let (loss, gradient) = self.0.loss_and_gradient()?;
        let bytes = bytes_of(&gradient);
        // SAFETY: as above.
        unsafe { pointer(to).copy_from(bytes.as_ptr(), bytes.len()) };
        Ok(loss)
    }
}

fn lbfgs(named: &[(String, OptionValue)]) -> Optimizer {
    let mut optimizer = Optimizer::new(definition("lbfgs").unwrap(), &[], named).unwrap();
    let options = optimizer.plan(0, &[], &[]).unwrap();
    optimizer.edit(0, options, 1).unwrap();
    optimizer
}

fn device() -> Arc<Emulator> {
    thread_local! {
        static DEVICE: Arc<Emulator> = Arc::new(Emulator::checked());
    }
    DEVICE.with(|device| {
        device.reset_counts();
        Arc::clone(device)
    })
}

fn step_on_host<T: Real>(optimizer: &mut Optimizer, bowl: &mut Bowl<T>) -> Result<f64> {
    let (loss, state) = T::step_on_host(optimizer, &bowl.x.clone(), bowl)?;
    optimizer.set_lbfgs_state(state);
    Ok(loss)
}

fn step_there<T: Real>(device: &Arc<Emulator>, optimizer: &mut Optimizer, bowl: &mut Bowl<T>) -> Result<f64> {
    let on = Arc::clone(device) as Arc<dyn Device>;
    let length = bowl.x.len();
    let step = optimizer.closure_step();
    let (loss, state) = step.minimize_on_device(&on, T::ELEMENT, length, &mut DeviceBowl(bowl))?;
    optimizer.set_lbfgs_state(state);
    Ok(loss)
}

/// Options that change the way of a step.
fn variants() -> Vec<(Vec<(String, OptionValue)>, f64)> {
    let (integer, word) = (OptionValue::Integer, |word: &str| OptionValue::Word(word.into()));
    vec![
        (vec![option("iter", integer(4))], 1.0),
        (vec![option("iter", integer(5)), option("history", integer(2))], 1.0),
        (vec![option("iter", integer(4)), option("search", word("strong_wolfe"))], 1.0),
        (
            vec![
                option("iter", integer(3)),
                option("search", word("strong_wolfe")),
                option("history", integer(3)),
                option("maximize", OptionValue::Flag(true)),
            ],
            -1.0,
        ),
        // Steps so short that a pair has no curvature.
        (vec![option("iter", integer(3)), option("lr", OptionValue::Float(1e-9))], 1.0),
    ]
}

fn bits<T: Real>(x: &[T]) -> Vec<u64> {
    x.iter().map(|x| x.to_f64().to_bits()).collect()
}

fn dict<T: Real>(optimizer: &Optimizer) -> LbfgsStateDict<T> {
    optimizer.lbfgs_state_dict().unwrap().map(T::dict).unwrap_or_default()
}

fn same_bits<T: Real>(length: usize) {
    for (named, sign) in variants() {
        let device = device();
        let (mut here, mut there) = (lbfgs(&named), lbfgs(&named));
        let (mut ours, mut theirs) = (Bowl::<T>::new(length, sign), Bowl::<T>::new(length, sign));
        for number in 0..4 {
            let expected = step_on_host(&mut here, &mut ours).unwrap();
            let given = step_there(&device, &mut there, &mut theirs).unwrap();
            assert_eq!(given.to_bits(), expected.to_bits(), "{named:?} {length}: the loss of step {number}");
            assert!(bits(&ours.x) == bits(&theirs.x), "{named:?} {length}: parameters after step {number}");
            assert!(dict::<T>(&here) == dict::<T>(&there), "{named:?} {length}: the state after step {number}");
            assert_eq!(here.state_size(), there.state_size());
            assert_eq!(ours.evaluations, theirs.evaluations);
        }
    }
}

#[test]
fn vectors_of_one_chunk_have_the_bits_of_the_host() {
    for length in [1, 3, 63, 64, 65, 511, 1000, 4099, CHUNK_LEN] {
        same_bits::<f32>(length);
        same_bits::<f64>(length);
    }
}

/// In a longer vector the sums of chunks are added in another order than on the host. The bound of a sum is
/// `length * f64::EPSILON`, and each step follows from a few sums.
#[test]
fn longer_vectors_are_as_near_as_the_order_of_sums_allows() {
    for (named, sign) in variants() {
        for length in [CHUNK_LEN + 1, 5 * CHUNK_LEN + 77] {
            let device = device();
            let (mut here, mut there) = (lbfgs(&named), lbfgs(&named));
            let (mut ours, mut theirs) = (Bowl::<f64>::new(length, sign), Bowl::<f64>::new(length, sign));
            let bound = 1e3 * length as f64 * f64::EPSILON;
            for number in 0..3 {
                let expected = step_on_host(&mut here, &mut ours).unwrap();
                let given = step_there(&device, &mut there, &mut theirs).unwrap();
                let context = format!("{named:?} {length} step {number}");
                assert!(
                    (given - expected).abs() <= bound * expected.abs().max(length as f64),
                    "{context}: {given} {expected}"
                );
                for (x, y) in ours.x.iter().zip(&theirs.x) {
                    assert!((x - y).abs() <= bound, "{context}: {x} {y}");
                }
                let (a, b) = (dict::<f64>(&here), dict::<f64>(&there));
                assert_eq!((a.n_iter, a.func_evals, a.ro.len()), (b.n_iter, b.func_evals, b.ro.len()), "{context}");
            }
        }
    }
}

#[test]
fn a_step_copies_only_the_scalars_of_the_search() {
    for (named, sign) in variants() {
        let device = device();
        let mut optimizer = lbfgs(&named);
        let mut bowl = Bowl::<f32>::new(3 * CHUNK_LEN, sign);
        for number in 0..4 {
            device.reset_counts();
            step_there(&device, &mut optimizer, &mut bowl).unwrap();
            let Counts { uploads, downloads, downloaded_bytes, allocations, loads, .. } = device.counts();
            assert_eq!(uploads, 0, "{named:?}");
            // Three sums and a product a time, with a counter.
            assert_eq!(downloaded_bytes, 40 * downloads, "{named:?}");
            // Four an iteration and two an evaluation, at most: far fewer than passes over pairs would need.
            assert!(downloads <= 40, "{named:?}: {downloads}");
            if number > 2 {
                // The parameters at the start of the step, which the allocator of a device has ready.
                assert!(allocations <= 3 && loads == 0, "{named:?}: {allocations} {loads}");
            }
        }
    }
}

#[test]
fn state_moves_to_the_device_and_back() {
    for (named, sign) in variants() {
        let (mut here, mut there) = (lbfgs(&named), lbfgs(&named));
        let (mut ours, mut theirs) = (Bowl::<f32>::new(333, sign), Bowl::<f32>::new(333, sign));
        let other = Arc::new(Emulator::checked());
        for number in 0..5 {
            step_on_host(&mut here, &mut ours).unwrap();
            match number {
                0 | 3 => step_on_host(&mut there, &mut theirs),
                1 => step_there(&device(), &mut there, &mut theirs),
                _ => step_there(&other, &mut there, &mut theirs),
            }
            .unwrap();
            if number == 2 {
                let saved = there.lbfgs_state_dict().unwrap().unwrap();
                there.set_lbfgs_state(LbfgsState::try_from(saved).unwrap());
            }
            assert!(bits(&ours.x) == bits(&theirs.x), "{named:?}: step {number}");
            assert!(dict::<f32>(&here) == dict::<f32>(&there), "{named:?}: step {number}");
        }
    }
}

/// A device that refuses one call.
fn refused<T: Real>(calls: usize, optimizer: &mut Optimizer, bowl: &mut Bowl<T>) -> Result<f64> {
    let observed = crate::observed::Observed::new(crate::emulated::emulator());
    observed.refuse_after(calls);
    let (on, length) = (observed.shared(), bowl.x.len());
    let step = optimizer.closure_step();
    let outcome = step.minimize_on_device(&on, T::ELEMENT, length, &mut DeviceBowl(bowl));
    if observed.allow() {
        let (loss, state) = outcome?;
        optimizer.set_lbfgs_state(state);
        return Ok(loss);
    }
    assert_eq!(outcome.err().map(|error| error.code()), Some(Code::Memory), "call {calls}");
    Err(Error::new(Code::Memory, "refused"))
}

#[test]
fn a_refused_call_or_a_closure_that_fails_changes_nothing() {
    let (named, sign) = variants().remove(2);
    let mut optimizer = lbfgs(&named);
    let mut bowl = Bowl::<f32>::new(100, sign);
    step_on_host(&mut optimizer, &mut bowl).unwrap();
    let (before, state) = (bits(&bowl.x), dict::<f32>(&optimizer));
    let mut refusals = 0;
    while refused(refusals, &mut optimizer, &mut bowl).is_err() {
        assert!(bits(&bowl.x) == before, "call {refusals}");
        assert!(dict::<f32>(&optimizer) == state, "call {refusals}");
        refusals += 1;
    }
    assert!(refusals > 20, "{refusals}");

    let (before, state) = (bits(&bowl.x), dict::<f32>(&optimizer));
    bowl.fails_at = Some(bowl.evaluations + 3);
    let device = device();
    let error = step_there(&device, &mut optimizer, &mut bowl).unwrap_err();
    assert_eq!(error.code(), Code::Engine);
    assert!(bits(&bowl.x) == before && dict::<f32>(&optimizer) == state);
}

#[test]
fn parameters_without_elements_and_of_16_bits() {
    let device = device();
    let mut optimizer = lbfgs(&[]);
    let mut bowl = Bowl::<f32>::new(0, 1.0);
    assert_eq!(step_there(&device, &mut optimizer, &mut bowl).unwrap(), 0.0);
    let on = Arc::clone(&device) as Arc<dyn Device>;
    let step = optimizer.closure_step();
    let error = step.minimize_on_device(&on, Element::Half, 0, &mut DeviceBowl(&mut bowl)).err().unwrap();
    assert_eq!(error.code(), Code::Dtype);
}

/// NaN in one element only: the largest magnitude leaves it out, as on the host.
#[test]
fn a_gradient_with_nan_ends_in_the_same_place() {
    struct Broken;
    impl Objective<f32> for Broken {
        fn set_parameters(&mut self, _: &[f32]) -> Result<()> {
            Ok(())
        }
        fn evaluate(&mut self, gradient: &mut [f32]) -> Result<f64> {
            gradient.iter_mut().enumerate().for_each(|(i, g)| *g = if i == 70 { f32::NAN } else { 1e-9 });
            Ok(1.0)
        }
    }
    struct There(usize);
    impl DeviceObjective for There {
        fn parameters(&mut self, to: u64) -> Result<()> {
            // SAFETY: as many elements.
            unsafe { pointer(to).write_bytes(0, 4 * self.0) };
            Ok(())
        }
        fn set_parameters(&mut self, _: u64) -> Result<()> {
            Ok(())
        }
        fn evaluate(&mut self, to: u64) -> Result<f64> {
            let mut gradient = vec![0.0; self.0];
            let loss = Broken.evaluate(&mut gradient)?;
            // SAFETY: as above.
            unsafe { pointer(to).copy_from(bytes_of(&gradient).as_ptr(), 4 * self.0) };
            Ok(loss)
        }
    }
    let (mut here, mut there) = (lbfgs(&[]), lbfgs(&[]));
    let (_, state) = here.closure_step().minimize_f32(&[0.0; 100], &mut Broken).unwrap();
    here.set_lbfgs_state(state);
    let on = device() as Arc<dyn Device>;
    let (_, state) = there.closure_step().minimize_on_device(&on, Element::Float, 100, &mut There(100)).unwrap();
    there.set_lbfgs_state(state);
    assert_eq!((dict::<f32>(&here).func_evals, dict::<f32>(&here).n_iter), (1, 0));
    assert!(dict::<f32>(&here) == dict::<f32>(&there));
}
