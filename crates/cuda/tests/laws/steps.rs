//! The way in which the tests of steps make them: on the emulator. Each step is made on the host, too, from a copy of the
//! state, and both must agree to the bit.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::slice;
use std::sync::Arc;

use half::{bf16, f16};
use stepwell_optim::{
    Buffer, Device, DeviceMemory, DeviceView, Element, InstructionSet, Optimizer, Outcome, Result, State, StepOptions,
    View,
};

use crate::emulated::emulator;
use crate::model::Elements;

/// A device has no threads that a caller chooses.
pub(crate) const THREADS: &[usize] = &[];

/// A device has no instruction sets that a caller chooses.
pub(crate) fn instruction_sets() -> &'static [InstructionSet] {
    &[]
}

/// Copies of one array on a device, at the same distance from a multiple of [`ALIGNMENT`] as on the host. Each holds its
/// device, so that a later device cannot have the address that is in the key.
type Copies = HashMap<(usize, usize, usize, usize), (Arc<dyn Device>, Box<dyn DeviceMemory>)>;

/// In bytes. More than any access of a kernel.
const ALIGNMENT: usize = 64;

thread_local! {
    static COPIES: RefCell<Copies> = RefCell::default();
}

/// The bytes of an array of numbers.
fn bytes_of<T: Copy>(elements: &mut [T]) -> &mut [u8] {
    // SAFETY: numbers have no padding, and every bit pattern is one.
    unsafe { std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), size_of_val(elements)) }
}

/// Parameter and gradient as bytes, with the type and the number of elements.
pub(crate) fn parts<'a>(view: &'a mut View<'_>) -> ([&'a mut [u8]; 2], Element, usize) {
    let length = view.len();
    let (parts, element) = match view {
        View::Float(p, g) => ([bytes_of(p), bytes_of(g)], Element::Float),
        View::Double(p, g) => ([bytes_of(p), bytes_of(g)], Element::Double),
        View::Half(p, g) => ([bytes_of(p), bytes_of(g)], Element::Half),
        View::BFloat16(p, g) => ([bytes_of(p), bytes_of(g)], Element::BFloat16),
    };
    (parts, element, length)
}

/// The address of a copy of an array on the device. It is the one of the step before if the array has the same size and
/// alignment.
fn uploaded(device: &Arc<dyn Device>, copies: &mut Copies, place: usize, bytes: &[u8]) -> Result<u64> {
    let offset = bytes.as_ptr().addr() % ALIGNMENT;
    let key = (Arc::as_ptr(device).addr(), place, bytes.len(), offset);
    let (_, memory) = match copies.entry(key) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert((Arc::clone(device), device.allocate(bytes.len() + 2 * ALIGNMENT)?)),
    };
    let first = memory.address();
    let address = first.next_multiple_of(ALIGNMENT as u64) + offset as u64;
    device.upload(address, bytes)?;
    Ok(address)
}

/// Copies parameters and gradients to the device.
pub(crate) fn place_views(device: &Arc<dyn Device>, views: &mut [Option<View<'_>>]) -> Result<Vec<Option<DeviceView>>> {
    COPIES.with_borrow_mut(|copies| {
        let mut placed = Vec::new();
        for (index, view) in views.iter_mut().enumerate() {
            let Some(view) = view else {
                placed.push(None);
                continue;
            };
            let ([parameter, gradient], element, length) = parts(view);
            placed.push(Some(DeviceView {
                parameter: uploaded(device, copies, 2 * index, parameter)?,
                gradient: uploaded(device, copies, 2 * index + 1, gradient)?,
                length,
                element,
                device: 0,
            }));
        }
        Ok(placed)
    })
}

/// Copies parameters and gradients from the device.
pub(crate) fn take_views(
    device: &Arc<dyn Device>,
    views: &mut [Option<View<'_>>],
    placed: &[Option<DeviceView>],
) -> Result<()> {
    for (view, placed) in views.iter_mut().zip(placed) {
        let (Some(view), Some(placed)) = (view, placed) else { continue };
        let ([parameter, gradient], ..) = parts(view);
        device.download(placed.parameter, parameter)?;
        device.download(placed.gradient, gradient)?;
    }
    Ok(())
}

/// The outcome of a step, which the optimizer tells if it is pending.
pub(crate) fn known(outcome: Result<Outcome>, optimizer: &mut Optimizer) -> Result<Outcome> {
    match outcome {
        Ok(Outcome::Pending) => Ok(optimizer.settle()?.unwrap()),
        outcome => outcome,
    }
}

/// Makes a step on a device, from and to host memory.
pub(crate) fn step_on(
    device: &Arc<dyn Device>,
    optimizer: &mut Optimizer,
    views: &mut [Option<View<'_>>],
    options: StepOptions<'_>,
) -> Result<Outcome> {
    let placed = place_views(device, views)?;
    let outcome = known(optimizer.device_step(slice::from_ref(device), &placed, options), optimizer);
    take_views(device, views, &placed)?;
    outcome
}

/// The index of the first element with other bits. All NaN count as equal, since processors choose their bits.
fn first_difference(ours: &[u8], theirs: &[u8], element: Element) -> Option<usize> {
    let width = match element {
        Element::Double => 8,
        Element::Float => 4,
        Element::Half | Element::BFloat16 => 2,
    };
    let is_nan = |bytes: &[u8]| match (element, bytes) {
        (Element::Double, _) => f64::from_ne_bytes(bytes.try_into().unwrap()).is_nan(),
        (Element::Float, _) => f32::from_ne_bytes(bytes.try_into().unwrap()).is_nan(),
        (Element::Half, _) => f16::from_ne_bytes(bytes.try_into().unwrap()).is_nan(),
        (Element::BFloat16, _) => bf16::from_ne_bytes(bytes.try_into().unwrap()).is_nan(),
    };
    if ours == theirs {
        return None;
    }
    let pairs = ours.chunks(width).zip(theirs.chunks(width));
    pairs.into_iter().position(|(ours, theirs)| ours != theirs && !(is_nan(ours) && is_nan(theirs)))
}

fn buffer_bytes(buffer: &mut Buffer) -> (&mut [u8], Element) {
    match buffer {
        Buffer::Float(b) => (bytes_of(b), Element::Float),
        Buffer::Double(b) => (bytes_of(b), Element::Double),
        Buffer::BFloat16(b) => (bytes_of(b), Element::BFloat16),
    }
}

/// Fails unless both lists of states are equal to the bit.
pub(crate) fn assert_same_states(ours: &mut [Option<State>], theirs: &mut [Option<State>], name: &str) {
    assert_eq!(ours.len(), theirs.len());
    for (index, pair) in ours.iter_mut().zip(theirs).enumerate() {
        let (ours, theirs) = match pair {
            (None, None) => continue,
            (Some(ours), Some(theirs)) => (ours, theirs),
            (ours, theirs) => panic!("{name}: state {index}: {} instead of {}", ours.is_some(), theirs.is_some()),
        };
        assert_eq!(ours.step, theirs.step, "{name}: steps of {index}");
        for (number, pair) in ours.buffers.iter_mut().zip(&mut theirs.buffers).enumerate() {
            match pair {
                (None, None) => {}
                (Some(ours), Some(theirs)) => {
                    let ((ours, element), (theirs, other)) = (buffer_bytes(ours), buffer_bytes(theirs));
                    assert_eq!((ours.len(), element), (theirs.len(), other), "{name}: buffer {number} of {index}");
                    let different = first_difference(ours, theirs, element);
                    assert_eq!(different, None, "{name}: buffer {number} of {index} differs");
                }
                (ours, theirs) => {
                    panic!("{name}: buffer {number} of {index}: {} not {}", ours.is_some(), theirs.is_some())
                }
            }
        }
    }
}

/// Makes a step on the emulator, and fails unless the host makes the same one.
pub(crate) fn step(
    optimizer: &mut Optimizer,
    views: &mut [Option<View<'_>>],
    options: StepOptions<'_>,
) -> Result<Outcome> {
    let device = emulator();
    let name = optimizer.definition().name;
    let mut twin = optimizer.without_state();
    twin.set_states(optimizer.device_states()?);
    let mut elements: Vec<_> = views.iter().map(|view| view.as_ref().map(Elements::of)).collect();
    let mut twin_views: Vec<_> = elements.iter_mut().map(|view| view.as_mut().map(Elements::view)).collect();
    let expected = twin.step(&mut twin_views, options);
    let outcome = step_on(device, optimizer, views, options);
    let text = |outcome: &Result<Outcome>| format!("{outcome:?}");
    assert_eq!(text(&outcome), text(&expected), "{name}");
    for (index, (ours, theirs)) in views.iter_mut().zip(&mut twin_views).enumerate() {
        let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
        let (([p, g], element, length), ([q, h], ..)) = (parts(ours), parts(theirs));
        assert_eq!(first_difference(p, q, element), None, "{name}: parameter {index} of {length} {element:?}");
        assert_eq!(first_difference(g, h, element), None, "{name}: gradient {index} of {length} {element:?}");
    }
    assert_same_states(&mut optimizer.device_states()?, &mut twin.device_states()?, name);
    let scale = |optimizer: &Optimizer| format!("{:?} {}", optimizer.loss_scale, optimizer.skipped());
    assert_eq!(scale(optimizer), scale(&twin), "{name}");
    outcome
}

/// The state of all parameters as text.
pub(crate) fn states(optimizer: &Optimizer) -> String {
    format!("{:?}", optimizer.device_states().unwrap())
}
