//! Parameters of several types and lengths with gradients, in host memory.

use half::{bf16, f16};
use stepwell_optim::{Optimizer, OptionValue, View, definition};

/// The elements of a parameter and of its gradient.
pub(crate) enum Elements {
    Float(Vec<f32>, Vec<f32>),
    Double(Vec<f64>, Vec<f64>),
    Half(Vec<f16>, Vec<f16>),
    BFloat16(Vec<bf16>, Vec<bf16>),
}

impl Elements {
    /// A copy of the elements of a view.
    pub(crate) fn of(view: &View<'_>) -> Self {
        match view {
            View::Float(p, g) => Elements::Float(p.to_vec(), g.to_vec()),
            View::Double(p, g) => Elements::Double(p.to_vec(), g.to_vec()),
            View::Half(p, g) => Elements::Half(p.to_vec(), g.to_vec()),
            View::BFloat16(p, g) => Elements::BFloat16(p.to_vec(), g.to_vec()),
        }
    }

    /// A parameter of type 0 (f32), 1 (f64), 2 (f16) or 3 (bfloat16), with a gradient of zeros.
    pub(crate) fn new(kind: usize, length: usize, seed: usize) -> Self {
        let numbers = || (0..length).map(move |i| ((seed * 31 + i) as f64 * 0.7).sin());
        match kind {
            0 => Elements::Float(numbers().map(|x| x as f32).collect(), vec![0.0; length]),
            1 => Elements::Double(numbers().collect(), vec![0.0; length]),
            2 => Elements::Half(numbers().map(f16::from_f64).collect(), vec![f16::ZERO; length]),
            _ => Elements::BFloat16(numbers().map(bf16::from_f64).collect(), vec![bf16::ZERO; length]),
        }
    }

    /// Sets the gradient to a wave.
    pub(crate) fn set_gradient(&mut self, seed: usize, scale: f64) {
        let number = |i: usize| ((seed * 17 + i) as f64 * 0.9).sin() * scale;
        match self {
            Elements::Float(_, g) => g.iter_mut().enumerate().for_each(|(i, g)| *g = number(i) as f32),
            Elements::Double(_, g) => g.iter_mut().enumerate().for_each(|(i, g)| *g = number(i)),
            Elements::Half(_, g) => g.iter_mut().enumerate().for_each(|(i, g)| *g = f16::from_f64(number(i))),
            Elements::BFloat16(_, g) => g.iter_mut().enumerate().for_each(|(i, g)| *g = bf16::from_f64(number(i))),
        }
    }

    /// Sets one element of the gradient.
    pub(crate) fn set_gradient_element(&mut self, place: usize, value: f64) {
        fn set<T>(elements: &mut [T], place: usize, value: T) {
            if let Some(index) = place.checked_rem(elements.len()) {
                elements[index] = value;
            }
        }
        match self {
            Elements::Float(_, g) => set(g, place, value as f32),
            Elements::Double(_, g) => set(g, place, value),
            Elements::Half(_, g) => set(g, place, f16::from_f64(value)),
            Elements::BFloat16(_, g) => set(g, place, bf16::from_f64(value)),
        }
    }

    /// Changes the parameter from outside.
    pub(crate) fn assign(&mut self, value: f64) {
        match self {
            Elements::Float(p, _) => p.iter_mut().step_by(3).for_each(|p| *p = value as f32),
            Elements::Double(p, _) => p.iter_mut().step_by(3).for_each(|p| *p = value),
            Elements::Half(p, _) => p.iter_mut().step_by(3).for_each(|p| *p = f16::from_f64(value)),
            Elements::BFloat16(p, _) => p.iter_mut().step_by(3).for_each(|p| *p = bf16::from_f64(value)),
        }
    }

    pub(crate) fn view(&mut self) -> View<'_> {
        match self {
            Elements::Float(p, g) => View::Float(p, g),
            Elements::Double(p, g) => View::Double(p, g),
            Elements::Half(p, g) => View::Half(p, g),
            Elements::BFloat16(p, g) => View::BFloat16(p, g),
        }
    }

    /// The bits of parameter and gradient.
    pub(crate) fn bits(&self) -> Vec<u64> {
        match self {
            Elements::Float(p, g) => p.iter().chain(g).map(|x| u64::from(x.to_bits())).collect(),
            Elements::Double(p, g) => p.iter().chain(g).map(|x| x.to_bits()).collect(),
            Elements::Half(p, g) => p.iter().chain(g).map(|x| u64::from(x.to_bits())).collect(),
            Elements::BFloat16(p, g) => p.iter().chain(g).map(|x| u64::from(x.to_bits())).collect(),
        }
    }
}

/// Options by name.
pub(crate) type Named = Vec<(String, OptionValue)>;

/// An optimizer with one group of parameters.
pub(crate) fn optimizer(name: &str, named: &Named, parameters: usize) -> Optimizer {
    let mut optimizer = Optimizer::new(definition(name).unwrap(), &[], named).unwrap();
    let options = optimizer.plan(0, &[], &[]).unwrap();
    optimizer.edit(0, options, parameters).unwrap();
    optimizer
}

/// One option.
pub(crate) fn option(name: &str, value: OptionValue) -> (String, OptionValue) {
    (name.to_owned(), value)
}

/// The views of all parameters.
pub(crate) fn views(model: &mut [Elements]) -> Vec<Option<View<'_>>> {
    model.iter_mut().map(|elements| Some(elements.view())).collect()
}
