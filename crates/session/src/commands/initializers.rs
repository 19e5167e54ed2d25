//! Initialisers: they overwrite parameters in place, with values from the session's generator.

use stepwell_optim::{
    Code, Error, Limit::*, Number, OptionKind, OptionSpec, OptionType, OptionValue, Result, defaults, joined, options,
    parse,
};

use crate::commands::arguments::Arguments;
use crate::commands::parameters::resolve_parameters;
use crate::engine::Engine;
use crate::nn::initialization::{self, Initializer, Spread};
use crate::nn::module::Named;
use crate::session::Session;
use crate::training::parameter_list::ParameterOrigin;
use crate::values::convert::{named_options, positional_options};
use crate::values::data::Data;
use crate::values::value::Value;

/// A word of a list, as the type of an option.
macro_rules! word {
    ($name:ident: $($word:literal)*) => {
        struct $name;
        impl OptionType for $name {
            const KIND: OptionKind = OptionKind::Word(&[$($word),*]);
            fn from_value(_: &OptionValue) -> Option<Self> {
                Some($name)
            }
            fn into_value(self) -> OptionValue {
                OptionValue::Word([$($word),*][0].to_owned())
            }
        }
    };
}

// The first word is the default.
word! { Nonlinearity: "leakyrelu" "linear" "conv1d" "conv2d" "conv3d" "convtranspose1d" "convtranspose2d" "convtranspose3d"
"sigmoid" "tanh" "relu" "selu" }
word! { FanMode: "fanin" "fanout" }

const KAIMING: &[OptionSpec] = options! { @table
    /// The nonlinearity after the layer.
    nonlinearity: Nonlinearity = Nonlinearity;
    /// Whether the variance stays in the forward pass, `fanin`, or in the backward pass, `fanout`.
    fanmode: FanMode = FanMode, alias "mode";
    /// The slope of `leakyrelu` for negative elements.
    slope: f64 = 0.0, alias "a";
};

const GAIN: &[OptionSpec] = options! { @table
    /// Factor of the values.
    gain: f64 = 1.0;
};

const SPARSE: &[OptionSpec] = options! { @table
    /// Share of each column that is 0.
    sparsity: f64, limit Closed(0.0, 1.0);
    /// Standard deviation of the other elements.
    std: f64 = 0.01, limit AtLeast(0.0);
};

const DIRAC: &[OptionSpec] = options! { @table
    /// Groups of channels of the convolution.
    groups: i64 = 1, limit AtLeast(1.0);
};

const TRUNCATED: &[OptionSpec] = options! { @table
    /// Mean of the normal distribution.
    mean: f64 = 0.0;
    /// Its standard deviation.
    std: f64 = 1.0, limit Above(0.0);
    /// Least value.
    min: f64 = -2.0, alias "a";
    /// Greatest value.
    max: f64 = 2.0, alias "b";
};

/// `knormal(object, [options])`: normal values whose variance suits a nonlinearity.
pub(crate) fn knormal<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    initialize(session, arguments, KAIMING, |o| kaiming(o, Spread::Normal))
}

/// `kuniform(object, [options])`: uniform values whose variance suits a nonlinearity.
pub(crate) fn kuniform<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    initialize(session, arguments, KAIMING, |o| kaiming(o, Spread::Uniform))
}

/// `xnormal(object, [gain])`: normal values whose variance suits both passes.
pub(crate) fn xnormal<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    initialize(session, arguments, GAIN, |o| Ok(Initializer::Xavier { spread: Spread::Normal, gain: number(o, 0)? }))
}

/// `xuniform(object, [gain])`: uniform values whose variance suits both passes.
pub(crate) fn xuniform<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    initialize(session, arguments, GAIN, |o| Ok(Initializer::Xavier { spread: Spread::Uniform, gain: number(o, 0)? }))
}

/// `snormal(object, sparsity, [std])`: a sparse matrix of normal values.
pub(crate) fn snormal<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    initialize(session, arguments, SPARSE, |o| Ok(Initializer::Sparse { sparsity: number(o, 0)?, std: number(o, 1)? }))
}

/// `orthogonal(object, [gain])`: rows or columns at right angles.
pub(crate) fn orthogonal<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    initialize(session, arguments, GAIN, |o| Ok(Initializer::Orthogonal { gain: number(o, 0)? }))
}

/// `dirac(object, [groups])`: a convolution that gives its input.
pub(crate) fn dirac<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    initialize(session, arguments, DIRAC, |o| Ok(Initializer::Dirac { groups: number(o, 0)? as usize }))
}

/// `tnormal(object, [mean], [std], [min], [max])`: normal values between two bounds.
pub(crate) fn tnormal<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    initialize(session, arguments, TRUNCATED, |o| {
        let [mean, std, min, max] = [number(o, 0)?, number(o, 1)?, number(o, 2)?, number(o, 3)?];
        if min < max {
            return Ok(Initializer::TruncatedNormal { mean, std, min, max });
        }
        let (min, max) = (Number(min), Number(max));
        Err(Error::new(Code::OptionRange, format_args!("expected a min below max, given min {min} and max {max}")))
    })
}

/// `gain(nonlinearity, [slope])`: the factor of the standard deviation before a nonlinearity.
pub(crate) fn gain<E: Engine>(_: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let name = arguments.text("a nonlinearity")?;
    let slope = match arguments.next() {
        Value::Undefined => 0.01,
        Value::Number(slope) => slope,
        other => return Err(arguments.argument_error("a slope (a number)", &other)),
    };
    arguments.finish()?;
    initialization::gain(&name, slope).map(Value::Number).ok_or_else(|| {
        let OptionKind::Word(known) = Nonlinearity::KIND else { return Error::new(Code::Internal, "no words") };
        Error::new(
            Code::UnknownName,
            format_args!("unknown nonlinearity `{name}`, expected one of {}", joined(known, ", ")),
        )
    })
}

fn number(options: &[OptionValue], index: usize) -> Result<f64> {
    match options.get(index) {
        Some(OptionValue::Float(number)) => Ok(*number),
        Some(OptionValue::Integer(number)) => Ok(*number as f64),
        _ => Err(Error::new(Code::Internal, "an option of another type than its row")),
    }
}

fn kaiming(options: &[OptionValue], spread: Spread) -> Result<Initializer> {
    let [OptionValue::Word(nonlinearity), OptionValue::Word(fanmode), OptionValue::Float(slope)] = options else {
        return Err(Error::new(Code::Internal, "an option of another type than its row"));
    };
    let gain = initialization::gain(nonlinearity, *slope).unwrap_or(1.0);
    Ok(Initializer::Kaiming { spread, gain, by_outputs: fanmode == "fanout" })
}

/// Overwrites the selected parameters, all or none.
fn initialize<E: Engine>(
    session: &mut Session<E>,
    mut arguments: Arguments,
    specs: &'static [OptionSpec],
    make: fn(&[OptionValue]) -> Result<Initializer>,
) -> Result<Value> {
    let object = arguments.next();
    if let Value::Null | Value::Undefined = object {
        return Err(arguments.argument_error("a tensor, vector, dictionary, module or model", &object));
    }
    let names = match &object {
        Value::Array(list) => list.get(1).unwrap_or(&Value::Null),
        _ => &Value::Null,
    };
    let initializer = make(&options(session.command, specs, arguments.rest())?)?;
    let parameters = resolve_parameters(session, &object)?;
    let mut tensors = parameters.tensors;
    if matches!(parameters.origin, ParameterOrigin::Module(_)) {
        // A module stands for its weights. A parameter that is named is meant itself.
        let mut weights = Vec::new();
        for named in tensors {
            if session.engine.shape(&named.tensor)?.len() >= 2 || is_named(names, &named.name) {
                weights.push(named);
            }
        }
        tensors = weights;
    }
    if tensors.is_empty() {
        return Err(Error::new(
            Code::Parameter,
            "expected at least one parameter of two dimensions or more, given none",
        ));
    }
    session.check_written(&mut tensors.iter().map(|named| &named.tensor))?;
    let mut filled: Vec<(Named<E>, Data)> = Vec::new();
    for named in tensors {
        let within =
            |error: Error| if named.name.is_empty() { error } else { error.within(&format!("`{}`", named.name)) };
        let (shape, dtype) = (session.engine.shape(&named.tensor)?, session.engine.dtype(&named.tensor)?);
        if !dtype.is_floating() {
            let message = format_args!("expected a parameter of floating point, given {}", dtype.name());
            return Err(within(Error::new(Code::Dtype, message)));
        }
        let elements = initializer.elements(&shape, &mut session.random).map_err(within)?;
        // Checks the largest number alone, and one that is not finite, which follows from an option.
        let largest = elements
            .iter()
            .fold(0.0, |largest: f64, x| if x.abs() > largest || x.is_nan() { x.abs() } else { largest });
        if !largest.is_finite() {
            let message = "expected options that give finite numbers, given ones that do not";
            return Err(within(Error::new(Code::Argument, message)));
        }
        dtype.check_holds(largest).map_err(within)?;
        let data = Data::Double(elements).cast(dtype)?;
        filled.push((named, data));
    }
    for (named, data) in &filled {
        session.engine.assign(&named.tensor, data)?;
    }
    Ok(Value::Null)
}

fn is_named(names: &Value, name: &str) -> bool {
    match names {
        Value::Array(list) => list.iter().any(|item| is_named(item, name)),
        Value::String(own) => own == name,
        _ => false,
    }
}

/// Options by position, and by name in a last dictionary. Words of Kaiming's options may come in any order.
fn options(owner: &str, specs: &[OptionSpec], given: Vec<Value>) -> Result<Vec<OptionValue>> {
    let (named, positional) = match given.split_last() {
        Some((Value::Object(entries), positional)) => (named_options(entries.clone())?, positional),
        _ => (Vec::new(), given.as_slice()),
    };
    let mut positional = positional_options(owner, positional)?;
    let mut named = named;
    let mut index = 0;
    while index < positional.len() {
        let fits = |spec: &OptionSpec| match (&positional[index], spec.kind) {
            (OptionValue::Word(word), OptionKind::Word(words)) => words.contains(&word.as_str()),
            (OptionValue::Float(_), OptionKind::Float) => matches!(specs[0].kind, OptionKind::Word(_)),
            _ => false,
        };
        match specs.iter().find(|spec| fits(spec)) {
            Some(spec) => named.push((spec.name.to_owned(), positional.remove(index))),
            None => index += 1,
        }
    }
    parse(owner, specs, &defaults(specs), &positional, &named)
}
