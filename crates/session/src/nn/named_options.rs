//! Checked options of a layer by name, for kinds that share the code which reads them.

use std::marker::PhantomData;

use stepwell_optim::{Code, Error, OptionSet, OptionSpec, OptionValue, Result};

/// The values of a table of options, in its order.
pub(crate) struct Values<O>(pub(crate) Vec<OptionValue>, PhantomData<O>);

impl<O: OptionSet> OptionSet for Values<O> {
    const SPECS: &'static [OptionSpec] = O::SPECS;

    fn from_values(values: &[OptionValue]) -> Result<Self> {
        Ok(Values(values.to_vec(), PhantomData))
    }
}

/// Values of options, with the name of the layer for messages.
pub(crate) struct NamedOptions<'a> {
    pub(crate) owner: &'a str,
    pub(crate) specs: &'static [OptionSpec],
    pub(crate) values: &'a [OptionValue],
    /// The number of dimensions of an image.
    pub(crate) rank: usize,
}

impl NamedOptions<'_> {
    /// The value of an option; `None` if it is null, or not in the table.
    fn value(&self, name: &str) -> Option<&OptionValue> {
        let index = self.specs.iter().position(|spec| spec.name == name)?;
        self.values.get(index).filter(|value| !matches!(value, OptionValue::Null))
    }

    /// How many numbers a list has.
    pub(crate) fn length(&self, name: &str) -> usize {
        if let Some(OptionValue::List(list)) = self.value(name) { list.len() } else { 0 }
    }

    /// `count` numbers: one for all, or one for each; none if there is no value.
    pub(crate) fn numbers(&self, name: &str, count: usize) -> Result<Vec<f64>> {
        let Some(OptionValue::List(list)) = self.value(name) else { return Ok(Vec::new()) };
        if list.len() == count || list.len() == 1 {
            return Ok((0..count).map(|i| list[i % list.len()]).collect());
        }
        let expected = match count {
            1 => "one number".to_owned(),
            2 => "one or two numbers".to_owned(),
            _ => format!("one or {count} numbers"),
        };
        let message = format_args!("{} {name}: expected {expected}, given {}", self.owner, list.len());
        Err(Error::new(Code::OptionType, message))
    }

    /// A size for each dimension of an image; if there is no value, the fallback.
    pub(crate) fn sizes(&self, name: &str, fallback: &[usize]) -> Result<Vec<usize>> {
        let numbers = self.numbers(name, self.rank)?;
        if numbers.is_empty() {
            return Ok((0..self.rank).filter_map(|i| fallback.get(i % fallback.len().max(1)).copied()).collect());
        }
        Ok(numbers.into_iter().map(|size| size as usize).collect())
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        match self.value(name) {
            Some(OptionValue::Float(number)) => Some(*number),
            Some(OptionValue::Integer(number)) => Some(*number as f64),
            _ => None,
        }
    }

    /// A count; 0 if there is no value.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.number(name).map_or(0, |number| number as usize)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        if let Some(OptionValue::Flag(flag)) = self.value(name) { Some(*flag) } else { None }
    }

    pub(crate) fn word(&self, name: &str) -> &str {
        if let Some(OptionValue::Word(word)) = self.value(name) { word } else { "" }
    }
}

/// Kinds of layers that share options and the function that makes them: name, number of dimensions, options, function, and
/// one sentence.
macro_rules! layers_of {
    ($($layer:ident, $name:literal, $rank:literal, $options:ty, $make:path, $about:literal;)*) => {$(
        pub(crate) struct $layer;

        impl crate::nn::layer::LayerDefinition for $layer {
            type Options = crate::nn::named_options::Values<$options>;
            const NAME: &'static str = $name;
            const ABOUT: &'static str = $about;

            fn make<E: crate::engine::Engine>(
                options: Self::Options,
                context: &mut crate::nn::context::InitContext<'_, E>,
            ) -> stepwell_optim::Result<Box<dyn crate::nn::layer::Layer<E>>> {
                let specs = <$options as stepwell_optim::OptionSet>::SPECS;
                let options = crate::nn::named_options::NamedOptions { owner: $name, specs, values: &options.0, rank: $rank };
                $make(&options, context)
            }
        }
    )*};
}
pub(crate) use layers_of;
