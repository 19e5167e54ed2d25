//! Steps of all kernels on tensors of all types, lengths and alignments equal the steps of the CPU.

use half::{bf16, f16};
use stepwell_cuda::Emulator;
use stepwell_optim::{
    Buffer, CATALOG, CHUNK_LEN, Clip, Definition, DeviceRule, Element, MASTER, NonFinite, Optimizer, OptionValue,
    Outcome, PARAM_AVERAGE, RULE_BUFFERS, StepOptions, View, definition,
};

use crate::arrays::{Array, comparable};
use crate::device_step::{DeviceSteps, Settings, Tensor};
use crate::numbers::{Numbers, TestElement, hash};
use crate::options::{Named, bfloat16_moments, groups};
use crate::sums::{check_sums, gradient_sums, parameter_sums};

const ELEMENTS: [Element; 4] = [Element::Float, Element::Double, Element::Half, Element::BFloat16];

/// Settings of consecutive steps.
fn settings() -> Vec<Settings> {
    let settings = |clip, loss_scale, zeroes| Settings { clip, loss_scale, zeroes, skips_non_finite: false };
    vec![
        settings(Clip::None, 1.0, false),
        settings(Clip::Norm(0.7), 1.0, true),
        settings(Clip::Value(0.3), 8.0, false),
        settings(Clip::None, 8.0, true),
        settings(Clip::Norm(1e30), 1.0, false),
        settings(Clip::Norm(0.7), 8.0, false),
        settings(Clip::Value(0.3), 1.0, true),
    ]
}

/// Lengths of the tensors of one group and one type. Together, eight of them have all lengths below 1100. Each has runs of eight, which
/// leave any number of elements to a vector of 16 bytes.
fn lengths(pair: usize) -> Vec<usize> {
    let mut lengths: Vec<_> = (0..1100).filter(|length| length / 8 % 8 == pair % 8).collect();
    lengths.extend([CHUNK_LEN - 1, CHUNK_LEN, CHUNK_LEN + 1, 2 * CHUNK_LEN + 777 + 64 * pair]);
    lengths
}

/// A tensor of the CPU's step, with the arrays of the device's.
struct Pair {
    host_parameter: Array,
    host_gradient: Array,
    tensor: Tensor,
}

fn make_pair<T: TestElement>(group: usize, seed: u64, length: usize, numbers: Numbers) -> Pair {
    let parameter: Vec<T> = (0..length).map(|i| T::of(numbers.number(seed, i))).collect();
    // Three of four start at a multiple of 16 bytes.
    let offset = |of: u64| if hash(seed + of).is_multiple_of(4) { hash(seed + of + 1) as usize % 8 } else { 0 };
    let gradient = vec![T::default(); length];
    let tensor = Tensor {
        group,
        element: T::ELEMENT,
        parameter: Array::new(&parameter, offset(10)),
        gradient: Array::new(&gradient, offset(20)),
        buffers: [const { None }; 5],
        average_decay: 0.0,
    };
    Pair { host_parameter: Array::new(&parameter, 0), host_gradient: Array::new(&gradient, 0), tensor }
}

/// Adds the state that the first step creates.
fn add_state(
    pair: &mut Pair,
    initial: [Option<f64>; RULE_BUFFERS],
    bfloat16: [bool; RULE_BUFFERS],
    average: Option<f64>,
    seed: u64,
) {
    let tensor = &mut pair.tensor;
    let offset = |index: usize| if hash(seed + index as u64).is_multiple_of(4) { index + 1 } else { 0 };
    let widened: Vec<f32> = match tensor.element {
        Element::Half => tensor.parameter.elements::<f16>().iter().map(|x| x.to_f32()).collect(),
        Element::BFloat16 => tensor.parameter.elements::<bf16>().iter().map(|x| x.to_f32()).collect(),
        _ => Vec::new(),
    };
    let length = match tensor.element {
        Element::Float => tensor.parameter.elements::<f32>().len(),
        Element::Double => tensor.parameter.elements::<f64>().len(),
        Element::Half | Element::BFloat16 => widened.len(),
    };
    let filled = |value: f64, index: usize| match tensor.element {
        Element::Double => Array::new(&vec![value; length], offset(index)),
        _ => Array::new(&vec![value as f32; length], offset(index)),
    };
    for (index, value) in initial.into_iter().enumerate() {
        tensor.buffers[index] = value.map(|value| match bfloat16[index] {
            true => Array::new(&vec![bf16::from_f64(value); length], offset(index)),
            false => filled(value, index),
        });
    }
    tensor.buffers[PARAM_AVERAGE] = average.map(|_| filled(0.0, 5));
    tensor.average_decay = average.unwrap_or_default();
    if matches!(tensor.element, Element::Half | Element::BFloat16) {
        tensor.buffers[MASTER] = Some(Array::new(&widened, offset(6)));
    }
}

fn fill<T: TestElement>(array: &mut Array, seed: u64, numbers: Numbers) {
    for (index, element) in array.elements_mut::<T>().iter_mut().enumerate() {
        *element = T::of(numbers.number(seed, index));
    }
}

fn view<'a, T: TestElement>(parameter: &'a mut Array, gradient: &'a mut Array) -> View<'a> {
    T::view(parameter.elements_mut(), gradient.elements_mut())
}

/// Calls a function of one element type.
macro_rules! with_element {
    ($element:expr, $function:ident($($argument:expr),*)) => {
        match $element {
            Element::Float => $function::<f32>($($argument),*),
            Element::Double => $function::<f64>($($argument),*),
            Element::Half => $function::<f16>($($argument),*),
            Element::BFloat16 => $function::<bf16>($($argument),*),
        }
    };
}

/// Parts of a comparison.
pub(crate) struct Comparison {
    pub(crate) definition: &'static Definition,
    /// Options of each group.
    pub(crate) named: Vec<Named>,
    pub(crate) elements: &'static [Element],
    pub(crate) numbers: Numbers,
    /// Lengths of the tensors of a pair of group and type.
    pub(crate) lengths: fn(usize) -> Vec<usize>,
    pub(crate) emulator: Emulator,
    /// Changes the text of the kernels.
    pub(crate) change: fn(String) -> String,
}

impl Comparison {
    /// All groups and types, with the text as it is.
    pub(crate) fn new(name: &str, numbers: Numbers) -> Self {
        let definition = definition(name).unwrap();
        let (named, emulator) = (groups(definition), Emulator::new());
        Self { definition, named, elements: &ELEMENTS, numbers, lengths, emulator, change: |text| text }
    }
}

/// Runs consecutive steps on the CPU and on the emulator, and compares all numbers after each.
pub(crate) fn compare(comparison: Comparison) {
    let Comparison { definition, named, elements, numbers, lengths, emulator, change } = comparison;
    let mut optimizer = Optimizer::with_groups(definition, &named).unwrap();
    let options: Vec<Vec<OptionValue>> = optimizer.groups().iter().map(|group| group.options().to_vec()).collect();
    let lists: Vec<&[OptionValue]> = options.iter().map(Vec::as_slice).collect();
    let rule = DeviceRule::new(definition, &lists).unwrap();

    let (mut kinds, mut pairs) = (Vec::new(), Vec::new());
    for (group, options) in named.iter().enumerate() {
        let before = pairs.len();
        let average = options.iter().find_map(|(name, value)| match value {
            OptionValue::Float(decay) if name == "average" => Some(*decay),
            _ => None,
        });
        let narrows = options.contains(&bfloat16_moments());
        for element in elements.iter().copied().filter(|element| !(narrows && *element == Element::Double)) {
            let variant = rule.variant(group, element);
            for length in lengths(kinds.len()) {
                let seed = pairs.len() as u64 * 101 + 7;
                let mut pair = with_element!(element, make_pair(group, seed, length, numbers));
                add_state(&mut pair, rule.initial_values(group), variant.bfloat16_buffers, average, seed);
                pairs.push(pair);
            }
            kinds.push((group, element));
        }
        let row = optimizer.plan(group, &[], &[]).unwrap();
        optimizer.edit(group, row, pairs.len() - before).unwrap();
    }
    let (mut host, mut tensors): (Vec<_>, Vec<_>) =
        pairs.into_iter().map(|pair| ((pair.host_parameter, pair.host_gradient), pair.tensor)).unzip();
    let mut device = DeviceSteps::new(emulator, rule, &kinds, change);

    for (index, settings) in settings().into_iter().enumerate() {
        let step_count = index as u64 + 1;
        for (number, ((parameter, gradient), tensor)) in host.iter_mut().zip(&mut tensors).enumerate() {
            let seed = number as u64 * 13 + step_count;
            with_element!(tensor.element, fill(gradient, seed, numbers));
            with_element!(tensor.element, fill(&mut tensor.gradient, seed, numbers));
            // Sets some parameters from outside, which master weights follow.
            if step_count == 3 && number % 5 == 0 {
                with_element!(tensor.element, fill(parameter, seed + 1, numbers));
                with_element!(tensor.element, fill(&mut tensor.parameter, seed + 1, numbers));
            }
        }
        let before: Vec<(Array, Array)> = host.clone();
        let mut views: Vec<_> = host
            .iter_mut()
            .zip(&tensors)
            .map(|((parameter, gradient), tensor)| Some(with_element!(tensor.element, view(parameter, gradient))))
            .collect();
        let step_options = StepOptions {
            clip: settings.clip,
            loss_scale: settings.loss_scale,
            zero_gradients: settings.zeroes,
            ..StepOptions::default()
        };
        assert_eq!(optimizer.step(&mut views, step_options).unwrap(), Outcome::Stepped);
        let (_, sums) = device.step(&tensors, step_count, settings);

        // A rule that uses the norm sums transformed gradients, if there is a transform.
        let (uses_norm, has_two_stages) = (device.rule.uses_gradient_norm(), device.rule.has_two_stages());
        let sums_gradients = match (settings.clip, uses_norm) {
            (Clip::Norm(_), false) => true,
            (clip, true) => clip == Clip::None && settings.loss_scale == 1.0,
            (_, false) => false,
        };
        let mut rest = sums.as_slice();
        for ((parameter, gradient), tensor) in before.iter().zip(&tensors) {
            let expected = gradient_sums(tensor.element, gradient);
            let (own, after) = rest.split_at(expected.len());
            rest = after;
            let context = format!("{} {numbers:?} step {step_count} {:?}", definition.name, tensor.element);
            if sums_gradients {
                check_sums(own, |sum| sum.gradient, &expected, &format!("{context} gradient"));
            }
            if has_two_stages && tensor.element == Element::Float {
                let expected = parameter_sums(parameter.elements());
                check_sums(own, |sum| sum.parameter, &expected, &format!("{context} parameter"));
            }
        }

        let states = optimizer.groups().iter().flat_map(|group| group.states());
        for (((parameter, gradient), tensor), state) in host.iter().zip(&tensors).zip(states) {
            let context = |what: &str| {
                let length = tensor.parameter.bytes();
                let (group, element) = (tensor.group, tensor.element);
                format!(
                    "{} {numbers:?} step {step_count} {settings:?} group {group} {element:?}, {length} bytes: {what}",
                    definition.name
                )
            };
            check(tensor.element, &tensor.parameter, parameter, &context("parameter"));
            check(tensor.element, &tensor.gradient, gradient, &context("gradient"));
            for (index, buffer) in state.as_ref().unwrap().buffers.iter().enumerate() {
                let what = context(&format!("buffer {index}"));
                match (buffer, &tensor.buffers[index]) {
                    (None, None) => {}
                    (Some(Buffer::Float(host)), Some(own)) => check(Element::Float, own, &Array::new(host, 0), &what),
                    (Some(Buffer::Double(host)), Some(own)) => check(Element::Double, own, &Array::new(host, 0), &what),
                    (Some(Buffer::BFloat16(host)), Some(own)) => {
                        check(Element::BFloat16, own, &Array::new(host, 0), &what)
                    }
                    (host, own) => panic!("{what}: host {}, device {}", host.is_some(), own.is_some()),
                }
            }
        }
    }
}

fn check(element: Element, device: &Array, host: &Array, context: &str) {
    device.check_guards();
    let (device, host) = (comparable(element, device), comparable(element, host));
    if let Some(index) = (0..host.len()).find(|index| device[*index] != host[*index]) {
        let count = (0..host.len()).filter(|index| device[*index] != host[*index]).count();
        panic!("{context}: element {index}: device {:#x}, host {:#x}, {count} differ", device[index], host[index]);
    }
}

fn all_kinds_of_numbers(name: &str) {
    for numbers in [Numbers::Ordinary, Numbers::Extreme, Numbers::Special] {
        compare(Comparison::new(name, numbers));
    }
}

#[test]
fn adagrad_equals_the_cpu() {
    all_kinds_of_numbers("adagrad");
}

#[test]
fn adam_equals_the_cpu() {
    all_kinds_of_numbers("adam");
}

#[test]
fn adamw_equals_the_cpu() {
    all_kinds_of_numbers("adamw");
}

#[test]
fn lamb_equals_the_cpu() {
    all_kinds_of_numbers("lamb");
}

#[test]
fn rmsprop_equals_the_cpu() {
    all_kinds_of_numbers("rmsprop");
}

#[test]
fn sgd_equals_the_cpu() {
    all_kinds_of_numbers("sgd");
}

#[test]
fn every_optimizer_with_kernels_has_a_test_here() {
    let mut tested = ["adagrad", "adam", "adamw", "lamb", "rmsprop", "sgd"].to_vec();
    tested.sort_unstable();
    let all = CATALOG.iter().filter(|definition| !definition.needs_closure()).map(|definition| definition.name);
    assert_eq!(tested, all.collect::<Vec<_>>());
}

#[test]
fn no_kernel_accesses_memory_outside_of_its_arrays() {
    let lengths = |pair: usize| vec![0, 1, 7, 63, 64, 65, 511, 512, 513, CHUNK_LEN + 5 + pair];
    for name in ["adam", "lamb"] {
        let emulator = Emulator::checked();
        compare(Comparison { emulator, lengths, ..Comparison::new(name, Numbers::Extreme) });
    }
}

#[test]
fn a_skipped_step_changes_nothing_and_zeroes_gradients() {
    let lengths = [3_usize, 700, CHUNK_LEN + 9];
    for name in ["adam", "lamb"] {
        let definition = definition(name).unwrap();
        let optimizer = Optimizer::new(definition, &[], &[]).unwrap();
        let rule = DeviceRule::new(definition, &[optimizer.groups()[0].options()]).unwrap();
        let initial = rule.initial_values(0);
        let mut device =
            DeviceSteps::new(Emulator::new(), rule, &[(0, Element::Float), (0, Element::Half)], |text| text);
        for zeroes in [false, true] {
            for bad in [f64::NAN, f64::INFINITY] {
                let settings = Settings { clip: Clip::Norm(1.0), loss_scale: 4.0, zeroes, skips_non_finite: true };
                let mut tensors = Vec::new();
                for (seed, length) in lengths.into_iter().enumerate() {
                    for element in [Element::Float, Element::Half] {
                        let mut pair = with_element!(element, make_pair(0, seed as u64, length, Numbers::Ordinary));
                        add_state(&mut pair, initial, [false; RULE_BUFFERS], None, 1);
                        with_element!(element, fill(&mut pair.tensor.gradient, 5, Numbers::Ordinary));
                        tensors.push(pair.tensor);
                    }
                }
                // Without the bad element, the step is made.
                let before: Vec<_> = tensors.iter().map(|tensor| tensor.parameter.clone()).collect();
                let last = tensors.last_mut().unwrap().gradient.elements_mut::<f16>();
                last[CHUNK_LEN + 8] = f16::from_f64(bad);
                assert_eq!(device.step(&tensors, 1, settings).0.non_finite, 1);
                for (tensor, before) in tensors.iter().zip(&before) {
                    check(tensor.element, &tensor.parameter, before, "parameter");
                    for buffer in &tensor.buffers[..RULE_BUFFERS] {
                        let Some(buffer) = buffer else { continue };
                        assert!(buffer.elements::<u32>().iter().all(|bits| *bits == 0));
                    }
                    let is_zero = tensor.gradient.elements::<u16>().iter().all(|bits| *bits == 0);
                    assert_eq!(is_zero, zeroes);
                }
                for tensor in &mut tensors {
                    with_element!(tensor.element, fill(&mut tensor.gradient, 5, Numbers::Ordinary));
                }
                assert_eq!(device.step(&tensors, 1, settings).0.non_finite, 0);
                assert_ne!(comparable(Element::Float, &tensors[0].parameter), comparable(Element::Float, &before[0]));
            }
        }
    }
}

/// The skip is the CPU's, whose test is in `stepwell-optim`.
#[test]
fn the_cpu_skips_too() {
    let mut optimizer = Optimizer::new(definition("adam").unwrap(), &[], &[]).unwrap();
    let row = optimizer.plan(0, &[], &[]).unwrap();
    optimizer.edit(0, row, 1).unwrap();
    let (mut p, mut g) = ([1.0_f32; 3], [f32::NAN; 3]);
    let options = StepOptions { non_finite: NonFinite::Skip, zero_gradients: true, ..StepOptions::default() };
    assert_eq!(optimizer.step(&mut [Some(View::Float(&mut p, &mut g))], options).unwrap(), Outcome::Skipped);
    assert_eq!((p, g), ([1.0; 3], [0.0; 3]));
}
