//! Modules from their specifications.

use stepwell_optim::{Code, Error, Result, Results, defaults, parse};

use crate::engine::Engine;
use crate::nn::context::InitContext;
use crate::nn::layers::layer_kinds;
use crate::nn::module::{MAX_DEPTH, Module, SEQUENTIAL, checked_name, keyed};
use crate::values::convert::{named_options, positional_options};
use crate::values::value::Value;

impl<E: Engine> Module<E> {
    /// Makes a module from its specification.
    ///
    /// A layer is its kind, or a list: its kind, optionally a name, positional options, optionally an object of named
    /// options. A container is an object with the keys `container` and `children`.
    pub(crate) fn make(specification: &Value, context: &mut InitContext<'_, E>) -> Result<Self> {
        Self::make_at(specification, context, 0)
    }

    fn make_at(specification: &Value, context: &mut InitContext<'_, E>, depth: usize) -> Result<Self> {
        if depth > MAX_DEPTH {
            return Err(Error::new(Code::Argument, format!("modules nested deeper than {MAX_DEPTH}")));
        }
        let entry = |key| match specification {
            Value::Object(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        };
        if let (Some(container), Some(Value::Array(children))) = (entry("container"), entry("children")) {
            if matches!(specification, Value::Object(entries) if entries.len() > 2) {
                return Err(not_a_module(specification));
            }
            return Self::sequential(container, children, context, depth);
        }
        let (kind, rest) = match specification {
            Value::String(kind) => (kind.as_str(), &[][..]),
            Value::Array(list) => match list.split_first() {
                Some((Value::String(kind), rest)) => (kind.as_str(), rest),
                _ => return Err(not_a_module(specification)),
            },
            _ => return Err(not_a_module(specification)),
        };
        if kind == SEQUENTIAL {
            return Self::sequential(specification, &[], context, depth);
        }
        let kinds = layer_kinds::<E>();
        let found = kinds.iter().find(|layer| layer.name == kind).ok_or_else(|| {
            let known: Vec<_> = kinds.iter().map(|layer| layer.name).chain([SEQUENTIAL]).collect();
            Error::new(Code::UnknownName, format!("unknown module `{kind}`, expected one of {}", known.join(", ")))
        })?;
        // A string after the kind is the module's name: no layer takes a string as its first option.
        let (name, rest) = match rest.split_first() {
            Some((Value::String(name), rest)) => (Some(checked_name(name)?), rest),
            _ => (None, rest),
        };
        let (named, positional) = match rest.split_last() {
            Some((Value::Object(entries), positional)) => (named_options(entries.clone())?, positional),
            _ => (Vec::new(), rest),
        };
        let positional = positional_options(kind, positional)?;
        let row = parse(kind, found.options, &defaults(found.options), &positional, &named)?;
        let layer = (found.make)(&row, context)?;
        let options = found.options.iter().map(|spec| spec.name).zip(row).collect();
        Ok(Self::layer(found.name, name, options, layer))
    }

    fn sequential(
        container: &Value,
        children: &[Value],
        context: &mut InitContext<'_, E>,
        depth: usize,
    ) -> Result<Self> {
        let words = match container {
            Value::Array(list) => list.as_slice(),
            word => std::slice::from_ref(word),
        };
        let name = match words {
            [Value::String(kind)] if kind == SEQUENTIAL => None,
            [Value::String(kind), Value::String(name)] if kind == SEQUENTIAL => Some(checked_name(name)?),
            _ => {
                let message = format!("expected {SEQUENTIAL}, or {SEQUENTIAL} and a name, given {container}");
                return Err(Error::new(Code::Argument, message));
            }
        };
        let modules = children.iter().map(|child| Self::make_at(child, context, depth + 1)).values()?;
        Ok(Self::holding(SEQUENTIAL, name, keyed(modules)?))
    }
}

fn not_a_module(given: &Value) -> Error {
    let message = format!("expected a module such as [\"linear\", 128, 10] or seq(...), given {given}");
    Error::new(Code::Argument, message)
}
