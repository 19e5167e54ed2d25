//! Modules from their specifications.

use stepwell_optim::{Code, Error, Result, Results, Shared, defaults, joined, parse};

use crate::engine::Engine;
use crate::nn::container::{CONTAINERS, Container};
use crate::nn::context::InitContext;
use crate::nn::kind_names::{LAYER_NAMES, kind_of};
use crate::nn::layers::layer_kinds;
use crate::nn::module::{MAX_DEPTH, Module, PARAMETER_DICTIONARY, checked_name};
use crate::values::convert::{named_options, positional_options};
use crate::values::device::Device;
use crate::values::handle::Handle;
use crate::values::numbers::array;
use crate::values::value::Value;

/// Objects that a specification names by their handles.
pub(crate) trait Objects<E: Engine> {
    fn module(&self, handle: Handle) -> Result<Shared<Module<E>>>;
    fn tensor(&self, handle: Handle) -> Result<E::Tensor>;
}

/// `None` for a specification without handles.
type NamedObjects<'a, E> = Option<&'a dyn Objects<E>>;

impl<E: Engine> Module<E> {
    /// Makes a module from its specification.
    ///
    /// A layer is its kind, or a list: its kind, optionally a name, positional options, optionally an object of named
    /// options. A container is an object with the keys `container` and `children`. A handle is a module that exists, which the
    /// container then shares.
    pub(crate) fn make(
        specification: &Value,
        objects: NamedObjects<'_, E>,
        context: &mut InitContext<'_, E>,
    ) -> Result<Shared<Self>> {
        Self::make_at(specification, objects, context, 0)
    }

    fn make_at(
        specification: &Value,
        objects: NamedObjects<'_, E>,
        context: &mut InitContext<'_, E>,
        depth: usize,
    ) -> Result<Shared<Self>> {
        if depth > MAX_DEPTH {
            return Err(Error::new(Code::Argument, format_args!("modules nested deeper than {MAX_DEPTH}")));
        }
        if let (Value::Handle(handle), Some(objects)) = (specification, objects) {
            return objects.module(*handle);
        }
        let entry = |key| match specification {
            Value::Object(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        };
        if let (Some(container), Some(Value::Array(children))) = (entry("container"), entry("children")) {
            if matches!(specification, Value::Object(entries) if entries.len() > 2) {
                return Err(not_a_module(specification));
            }
            return Self::contain(container, children, objects, context, depth);
        }
        let (kind, rest) = match specification {
            Value::String(kind) => (kind.as_str(), &[][..]),
            Value::Array(list) => match list.split_first() {
                Some((Value::String(kind), rest)) => (kind.as_str(), rest),
                _ => return Err(not_a_module(specification)),
            },
            _ => return Err(not_a_module(specification)),
        };
        if Container::named(kind).is_some() {
            return Self::contain(specification, &[], objects, context, depth);
        }
        let kind = kind_of(LAYER_NAMES, kind);
        // A string after the kind is the module's name: no layer takes a string as its first option.
        let (name, rest) = match rest.split_first() {
            Some((Value::String(name), rest)) => (Some(checked_name(name)?), rest),
            _ => (None, rest),
        };
        if kind == PARAMETER_DICTIONARY {
            return Self::own_parameters_of(name, rest, objects, context);
        }
        let found = layer_kinds::<E>().find(|layer| layer.name == kind).ok_or_else(|| {
            let containers = CONTAINERS.iter().map(|(name, ..)| *name).chain([PARAMETER_DICTIONARY]);
            let known: Vec<_> = layer_kinds::<E>().map(|layer| layer.name).chain(containers).collect();
            Error::new(
                Code::UnknownName,
                format_args!("unknown module `{kind}`, expected one of {}", joined(&known, ", ")),
            )
        })?;
        let (named, positional) = match rest.split_last() {
            Some((Value::Object(entries), positional)) => (named_options(entries.clone())?, positional),
            _ => (Vec::new(), rest),
        };
        let positional = positional_options(kind, positional)?;
        let row = parse(kind, found.options, &defaults(found.options), &positional, &named)?;
        let layer = found.make(&row, context)?;
        let mut parts = Vec::new();
        for (key, specification) in std::mem::take(&mut context.parts) {
            parts.push((key, Self::make_at(&specification, None, context, depth + 1)?));
        }
        let options = found.options.iter().map(|spec| spec.name).zip(row).collect();
        let module = Self::layer(found.name, name, options, layer, parts);
        module.initialise(context)?;
        Ok(Shared::new(module))
    }

    /// A module of tensors: handles of tensors, which it shares, and plain numbers.
    fn own_parameters_of(
        name: Option<String>,
        rest: &[Value],
        objects: NamedObjects<'_, E>,
        context: &mut InitContext<'_, E>,
    ) -> Result<Shared<Self>> {
        let [Value::Object(entries)] = rest else {
            let message = format_args!(
                "expected a dictionary of tensors after {PARAMETER_DICTIONARY}, given {} values",
                rest.len()
            );
            return Err(Error::new(Code::Argument, message));
        };
        let mut tensors = Vec::new();
        for (key, value) in entries {
            let tensor = match (value, objects) {
                (Value::Handle(handle), Some(objects)) => objects.tensor(*handle)?,
                _ => {
                    let numbers = array(value)?.ok_or_else(|| {
                        Error::new(
                            Code::Argument,
                            format_args!("expected a tensor or numbers as `{key}`, given {value}"),
                        )
                    })?;
                    let tensor = context.engine.tensor(&numbers.data, &numbers.shape, Device::Cpu)?;
                    context.engine.set_requires_grad(&tensor, true)?;
                    tensor
                }
            };
            if !context.engine.is_leaf(&tensor) || !context.engine.dtype(&tensor)?.is_floating() {
                let message = format_args!("expected a leaf tensor of floating point as `{key}`");
                return Err(Error::new(Code::Parameter, message));
            }
            tensors.push((checked_name(key)?, tensor));
        }
        let mut module = Self::parameter_dictionary(tensors);
        module.name = name;
        Ok(Shared::new(module))
    }

    fn contain(
        container: &Value,
        children: &[Value],
        objects: NamedObjects<'_, E>,
        context: &mut InitContext<'_, E>,
        depth: usize,
    ) -> Result<Shared<Self>> {
        let words = match container {
            Value::Array(list) => list.as_slice(),
            word => std::slice::from_ref(word),
        };
        let kind = words.first().and_then(|word| match word {
            Value::String(kind) => Container::named(kind),
            _ => None,
        });
        let (kind, name) = match (kind, words) {
            (Some(kind), [_]) => (kind, None),
            (Some(kind), [_, Value::String(name)]) => (kind, Some(checked_name(name)?)),
            _ => {
                let message =
                    format_args!("expected a container such as sequential, or that and a name, given {container}");
                return Err(Error::new(Code::Argument, message));
            }
        };
        let modules = children.iter().map(|child| Self::make_at(child, objects, context, depth + 1)).values()?;
        Self::holding(kind, name, modules).map(Shared::new)
    }
}

fn not_a_module(given: &Value) -> Error {
    let message = format_args!("expected a module such as [\"linear\", 128, 10] or seq(...), given {given}");
    Error::new(Code::Argument, message)
}
