//! Arguments of an operation, read by its parameters: in order, and the optional ones also by name in a last dictionary.

use std::borrow::Cow;

use stepwell_optim::{Code, Error, Number, OptionValue, Result, joined};

use crate::commands::arguments::Arguments;
use crate::commands::operations::operand::Operand;
use crate::commands::operations::parameter::{Default, Kind, Parameter};
use crate::engine::Engine;
use crate::session::{Object, Session};
use crate::values::device::Device;
use crate::values::dtype::Dtype;
use crate::values::handle::ObjectKind;
use crate::values::numbers::{array, size_of};
use crate::values::value::Value;

/// The value of an argument.
pub(crate) enum Argument<E: Engine> {
    Absent,
    Tensor(Operand<E>),
    Tensors(Vec<Operand<E>>),
    Number(f64),
    Flag(bool),
    Numbers(Vec<f64>),
    Word(&'static str),
    /// Whole numbers.
    Whole(Vec<i64>),
    Dtype(Dtype),
}

/// The arguments, one for each parameter.
pub(crate) struct Given<E: Engine>(Vec<Argument<E>>, &'static [Parameter]);

impl<E: Engine> Given<E> {
    pub(crate) fn read(
        session: &Session<E>,
        parameters: &'static [Parameter],
        mut arguments: Arguments,
    ) -> Result<Self> {
        let mut list: Vec<Argument<E>> = Vec::new();
        let mut named: Vec<(String, Value)> = Vec::new();
        for parameter in parameters {
            // A dictionary names the argument in its place and the ones after it. A tensor may be `{ data, shape }`.
            let names = |entries: &[(String, Value)]| {
                parameter.is_named()
                    || (parameter.default == Default::Absent && !entries.iter().any(|(name, _)| name == "data"))
            };
            if matches!(arguments.peek(), Value::Object(entries) if names(entries)) {
                named = arguments.options()?;
                break;
            }
            let value = arguments.next();
            let expected = || arguments.argument_error(&described(parameter), &value);
            list.push(argument(session, parameter, &value)?.ok_or_else(expected)?);
        }
        arguments.finish()?;
        let rest = &parameters[list.len()..];
        for (name, _) in &named {
            if !rest.iter().any(|parameter| parameter.name == name) {
                let known: Vec<_> = rest.iter().map(|parameter| parameter.name).collect();
                let message = format_args!("unknown option `{name}`, expected one of {}", joined(&known, ", "));
                return Err(Error::new(Code::OptionUnknown, message));
            }
        }
        for parameter in rest {
            let value =
                named.iter().find(|(name, _)| parameter.name == name).map_or(&Value::Undefined, |(_, value)| value);
            list.push(argument(session, parameter, value)?.ok_or_else(|| {
                let message =
                    format_args!("option {}: expected {}, given {value}", parameter.name, kind_name(parameter.kind));
                Error::new(Code::OptionType, message)
            })?);
        }
        Ok(Given(list, parameters))
    }

    /// The arguments in order, without a dictionary. `None` if one is missing, of another kind, or too many.
    pub(crate) fn read_in_order(
        session: &Session<E>,
        parameters: &'static [Parameter],
        mut values: impl Iterator<Item = Value>,
    ) -> Result<Option<Self>> {
        let mut list = Vec::with_capacity(parameters.len());
        for parameter in parameters {
            let value = values.next().unwrap_or(Value::Undefined);
            match argument(session, parameter, &value)? {
                Some(argument) => list.push(argument),
                None => return Ok(None),
            }
        }
        Ok(values.next().is_none().then_some(Given(list, parameters)))
    }

    /// All tensors among the arguments.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &E::Tensor> {
        let operands = self.0.iter().flat_map(|argument| match argument {
            Argument::Tensor(operand) => std::slice::from_ref(operand),
            Argument::Tensors(operands) => operands,
            _ => &[],
        });
        operands.filter_map(|operand| if let Operand::Tensor(tensor) = operand { Some(tensor) } else { None })
    }

    /// The device of the tensors among the arguments, to which numbers go; the CPU without a tensor.
    ///
    /// # Errors
    /// [`Code::Device`] for tensors on two devices.
    pub(crate) fn device(&self, engine: &E) -> Result<Device> {
        let mut device = None;
        if !E::HAS_DEVICES {
            return Ok(Device::Cpu);
        }
        for tensor in self.tensors() {
            let found = engine.device(tensor)?;
            if let Some(expected) = device.filter(|expected| *expected != found) {
                let message = format_args!("expected tensors on one device, given {expected} and {found}");
                return Err(Error::new(Code::Device, message));
            }
            device = Some(found);
        }
        Ok(device.unwrap_or(Device::Cpu))
    }

    fn wrong(&self) -> Error {
        Error::new(Code::Internal, "an argument of another kind than its parameter")
    }

    pub(crate) fn operand(&self, index: usize) -> Result<&Operand<E>> {
        match self.0.get(index) {
            Some(Argument::Tensor(operand)) => Ok(operand),
            _ => Err(self.wrong()),
        }
    }

    pub(crate) fn operand_or_none(&self, index: usize) -> Option<&Operand<E>> {
        match self.0.get(index) {
            Some(Argument::Tensor(operand)) => Some(operand),
            _ => None,
        }
    }

    /// The tensors among the arguments that are given, in order.
    pub(crate) fn all_operands(&self) -> impl Iterator<Item = &Operand<E>> {
        self.0.iter().filter_map(|argument| if let Argument::Tensor(operand) = argument { Some(operand) } else { None })
    }

    pub(crate) fn operands(&self, index: usize) -> Result<&[Operand<E>]> {
        match self.0.get(index) {
            Some(Argument::Tensors(operands)) => Ok(operands),
            _ => Err(self.wrong()),
        }
    }

    pub(crate) fn number(&self, index: usize) -> Result<f64> {
        match self.0.get(index) {
            Some(Argument::Number(number)) => Ok(*number),
            _ => Err(self.wrong()),
        }
    }

    pub(crate) fn flag(&self, index: usize) -> bool {
        matches!(self.0.get(index), Some(Argument::Flag(true)))
    }

    /// The arguments that are not tensors as options of a layer, by name.
    pub(crate) fn layer_options(&self) -> Vec<(String, OptionValue)> {
        let value = |argument: &Argument<E>| match argument {
            Argument::Number(number) => Some(OptionValue::Float(*number)),
            Argument::Flag(flag) => Some(OptionValue::Flag(*flag)),
            Argument::Numbers(list) => Some(OptionValue::List(list.clone())),
            Argument::Word(word) => Some(OptionValue::Word((*word).to_owned())),
            Argument::Whole(list) if list.len() == 1 => Some(OptionValue::Integer(list[0])),
            Argument::Whole(list) => Some(OptionValue::List(list.iter().map(|number| *number as f64).collect())),
            _ => None,
        };
        let named = self.1.iter().zip(&self.0);
        named.filter_map(|(parameter, argument)| Some((parameter.name.to_owned(), value(argument)?))).collect()
    }

    pub(crate) fn whole(&self, index: usize) -> Result<i64> {
        self.whole_or_none(index).ok_or_else(|| self.wrong())
    }

    pub(crate) fn whole_or_none(&self, index: usize) -> Option<i64> {
        match self.0.get(index) {
            Some(Argument::Whole(list)) => list.first().copied(),
            _ => None,
        }
    }

    /// A size, which is not negative.
    pub(crate) fn size(&self, index: usize) -> Result<usize> {
        let given = self.whole(index)?;
        size_of(given, || {
            Error::new(
                Code::Argument,
                format_args!("expected a whole number >= 0 as argument {}, given {given}", index + 1),
            )
        })
    }

    /// Several whole numbers; `None` if the argument is left out.
    pub(crate) fn list(&self, index: usize) -> Option<&[i64]> {
        match self.0.get(index) {
            Some(Argument::Whole(list)) => Some(list),
            _ => None,
        }
    }

    /// Dimensions of a reduction. As in PyTorch, none at all means all of them.
    pub(crate) fn dims(&self, index: usize) -> Option<&[i64]> {
        self.list(index).filter(|list| !list.is_empty())
    }

    /// The flags and numbers from an argument on, each in order; a number that is left out is `None`.
    pub(crate) fn options(&self, first: usize) -> ([bool; 3], [Option<f64>; 2]) {
        let (mut flags, mut numbers) = ([false; 3], [None; 2]);
        let (mut next_flag, mut next_number) = (flags.iter_mut(), numbers.iter_mut());
        for argument in self.0.iter().skip(first) {
            match argument {
                Argument::Flag(given) => next_flag.next().into_iter().for_each(|flag| *flag = *given),
                Argument::Number(given) => next_number.next().into_iter().for_each(|number| *number = Some(*given)),
                _ => next_number.next().into_iter().for_each(drop),
            }
        }
        (flags, numbers)
    }

    pub(crate) fn dtype(&self, index: usize) -> Option<Dtype> {
        match self.0.get(index) {
            Some(Argument::Dtype(dtype)) => Some(*dtype),
            _ => None,
        }
    }
}

fn kind_name(kind: Kind) -> Cow<'static, str> {
    if !kind.words().is_empty() {
        return format!("one of {}", joined(kind.words(), ", ")).into();
    }
    Cow::Borrowed(match kind {
        Kind::Tensor => "a tensor or numbers",
        Kind::Tensors => "a list of tensors",
        Kind::Number => "a number",
        Kind::Whole => "a whole number",
        Kind::Flag => "a boolean",
        Kind::Dim => "a dimension (a whole number)",
        Kind::Dims => "dimensions (a whole number or a list)",
        Kind::Sizes => "sizes (a whole number or a list)",
        Kind::Numbers => "a number or a list of them",
        Kind::Dtype => "a dtype (a string)",
        Kind::Fill | Kind::Mode => "a word",
    })
}

fn described(parameter: &Parameter) -> String {
    format!("{}: {}", parameter.name, kind_name(parameter.kind))
}

/// The argument of a value; `None` if the value is of another kind.
fn argument<E: Engine>(session: &Session<E>, parameter: &Parameter, value: &Value) -> Result<Option<Argument<E>>> {
    if matches!(value, Value::Undefined) || (matches!(value, Value::Null) && parameter.default == Default::Absent) {
        return Ok(match parameter.default {
            Default::Required => None,
            Default::Absent => Some(Argument::Absent),
            Default::Flag(flag) => Some(Argument::Flag(flag)),
            Default::Word(word) => Some(Argument::Word(word)),
            Default::Number(number) if parameter.kind == Kind::Number => Some(Argument::Number(number)),
            Default::Number(number) => Some(Argument::Whole(vec![number as i64])),
        });
    }
    Ok(match (parameter.kind, value) {
        (Kind::Tensor, Value::Null | Value::String(_)) => None,
        (Kind::Tensor, Value::Handle(handle)) if handle.kind().is_some_and(|kind| kind != ObjectKind::Tensor) => None,
        (Kind::Tensor, value) => Some(Argument::Tensor(Operand::read(session, value)?)),
        (Kind::Tensors, Value::Handle(handle)) => match session.object(*handle)? {
            Object::Vector(tensors) => Some(Argument::Tensors(tensors.iter().cloned().map(Operand::Tensor).collect())),
            _ => None,
        },
        (Kind::Tensors, Value::Array(list)) => {
            let mut operands = Vec::new();
            for value in list {
                operands.push(Operand::read(session, value)?);
            }
            Some(Argument::Tensors(operands))
        }
        (Kind::Number, Value::Number(number)) => Some(Argument::Number(*number)),
        (Kind::Flag, Value::Bool(flag)) => Some(Argument::Flag(*flag)),
        (Kind::Dtype, Value::String(name)) => Some(Argument::Dtype(Dtype::parse(name)?)),
        (Kind::Whole | Kind::Dim, Value::Number(number)) => Some(Argument::Whole(vec![whole(*number)?])),
        (Kind::Fill | Kind::Mode, Value::String(given)) => {
            parameter.kind.words().iter().find(|word| **word == given).map(|word| Argument::Word(word))
        }
        (Kind::Numbers, Value::Number(_) | Value::Array(_) | Value::Numbers(_) | Value::NumericArray(_)) => {
            match array(value)?.filter(|array| array.shape.len() <= 1) {
                Some(array) => Some(Argument::Numbers(array.doubles()?)),
                None => None,
            }
        }
        (Kind::Dims | Kind::Sizes, Value::Number(_) | Value::Array(_) | Value::Numbers(_) | Value::NumericArray(_)) => {
            match array(value)?.filter(|array| array.shape.len() <= 1) {
                Some(array) => {
                    let mut list = Vec::new();
                    for number in array.doubles()? {
                        list.push(whole(number)?);
                    }
                    Some(Argument::Whole(list))
                }
                None => None,
            }
        }
        _ => None,
    })
}

fn whole(number: f64) -> Result<i64> {
    if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0 {
        return Ok(number as i64);
    }
    Err(Error::new(Code::Argument, format_args!("expected a whole number, given {}", Number(number))))
}
