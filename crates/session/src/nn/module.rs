//! A module: a layer, or several modules one after the other, with names.

use std::rc::Rc;

use stepwell_optim::{Code, Error, OptionValue, Result, Results, defaults, parse};

use crate::engine::Engine;
use crate::nn::context::{ForwardContext, InitContext};
use crate::nn::layer::Layer;
use crate::nn::layers::layer_kinds;
use crate::values::convert::{named_options, positional_options};
use crate::values::dedupe::repeated;
use crate::values::value::Value;

/// Modules nested deeper than this are refused, before recursion could exhaust the stack.
const MAX_DEPTH: usize = 128;
/// A container of more modules is refused: containers that share modules double with each that holds two of them.
const MAX_MODULES: usize = 1 << 18;
const SEQUENTIAL: &str = "sequential";
const MODULE_DICTIONARY: &str = "moduledict";
const PARAMETER_DICTIONARY: &str = "parmdict";

/// A module with its parameters.
pub(crate) struct Module<E: Engine> {
    pub(crate) kind: &'static str,
    /// The name that its maker gave it.
    pub(crate) name: Option<String>,
    /// A layer's options.
    pub(crate) options: Vec<(&'static str, OptionValue)>,
    body: Body<E>,
    extent: Extent,
}

/// How far a module goes.
#[derive(Clone, Copy)]
struct Extent {
    levels: usize,
    /// All of them, one that is there twice counted twice.
    modules: usize,
}

/// A module without children.
const ONE: Extent = Extent { levels: 1, modules: 1 };

enum Body<E: Engine> {
    Layer(Box<dyn Layer<E>>),
    /// Children with their keys: the name of each, or its position. They run one after the other if it is a sequence.
    Modules(Vec<(String, Rc<Module<E>>)>),
}

/// The parameters or the buffers of a layer.
type TensorsOf<E> = dyn for<'a> Fn(&'a dyn Layer<E>) -> Vec<(&'a str, &'a <E as Engine>::Tensor)>;

/// A tensor of a module, with its dotted name and the kind of the module that owns it.
pub(crate) struct Named<E: Engine> {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) tensor: E::Tensor,
}

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
        // A word after the kind is the module's name, for no layer takes a word as its first option.
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
        Ok(Self { kind: found.name, name, options, body: Body::Layer(layer), extent: ONE })
    }

    /// A module that holds others under keys, and does not run.
    pub(crate) fn dictionary(children: Vec<(String, Rc<Module<E>>)>) -> Self {
        Self::holding(MODULE_DICTIONARY, None, children)
    }

    fn holding(kind: &'static str, name: Option<String>, children: Vec<(String, Rc<Module<E>>)>) -> Self {
        let mut extent = ONE;
        for (_, child) in &children {
            extent.levels = extent.levels.max(child.extent.levels + 1);
            extent.modules = extent.modules.saturating_add(child.extent.modules);
        }
        Self { kind, name, options: Vec::new(), body: Body::Modules(children), extent }
    }

    /// Fails for a container that is nested deeper, or holds more, than can be worked on.
    pub(crate) fn check_extent(&self) -> Result<()> {
        if self.extent.levels <= MAX_DEPTH + 1 && self.extent.modules <= MAX_MODULES {
            return Ok(());
        }
        let message = format!("modules nested deeper than {MAX_DEPTH}, or more than {MAX_MODULES} of them");
        Err(Error::new(Code::Argument, message))
    }

    /// A module that holds tensors under keys, and does not run.
    pub(crate) fn parameter_dictionary(tensors: Vec<(String, E::Tensor)>) -> Self {
        let body = Body::Layer(Box::new(ParameterDictionary(tensors)));
        Self { kind: PARAMETER_DICTIONARY, name: None, options: Vec::new(), body, extent: ONE }
    }

    /// An empty container; `None` if `kind` is none.
    pub(crate) fn container(kind: &str, name: Option<String>) -> Option<Self> {
        let kind = [SEQUENTIAL, MODULE_DICTIONARY].into_iter().find(|known| *known == kind)?;
        Some(Self::holding(kind, name, Vec::new()))
    }

    /// A container that was made empty, filled.
    pub(crate) fn with_children(self, children: Vec<(String, Rc<Module<E>>)>) -> Self {
        Self::holding(self.kind, self.name, children)
    }

    pub(crate) fn is_parameter_dictionary(kind: &str) -> bool {
        kind == PARAMETER_DICTIONARY
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

    pub(crate) fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        match &self.body {
            Body::Layer(layer) => layer.forward(context, input).map_err(|error| error.within(self.kind)),
            Body::Modules(_) if self.kind != SEQUENTIAL => {
                Err(Error::new(Code::Argument, format!("a {} holds modules and does not run", self.kind)))
            }
            Body::Modules(children) => children.iter().try_fold(input.clone(), |x, (key, child)| {
                child.forward(context, &x).map_err(|error| error.within(&format!("`{key}`")))
            }),
        }
    }

    /// Direct children with their keys.
    pub(crate) fn children(&self) -> &[(String, Rc<Module<E>>)] {
        match &self.body {
            Body::Layer(_) => &[],
            Body::Modules(children) => children,
        }
    }

    /// All descendants with their dotted names, depth first, without the root.
    pub(crate) fn descendants(&self) -> Vec<(String, Rc<Module<E>>)> {
        let mut found = Vec::new();
        self.walk(&mut String::new(), &mut |path, module| found.push((path.to_owned(), Rc::clone(module))));
        found
    }

    /// Visits all descendants with their dotted names. `path` is the dotted name of this module.
    fn walk<'a>(&'a self, path: &mut String, visit: &mut dyn FnMut(&str, &'a Rc<Module<E>>)) {
        let length = path.len();
        for (key, child) in self.children() {
            path.push_str(if length > 0 { "." } else { "" });
            path.push_str(key);
            visit(path, child);
            child.walk(path, visit);
            path.truncate(length);
        }
    }

    /// Tensors that are trained, in the order in which they were registered.
    pub(crate) fn parameters(&self) -> Vec<Named<E>> {
        self.tensors(&|layer| layer.parameters())
    }

    /// Tensors that belong to the state but are not trained.
    pub(crate) fn buffers(&self) -> Vec<Named<E>> {
        self.tensors(&|layer| layer.buffers())
    }

    /// Parameters and then buffers.
    pub(crate) fn parameters_and_buffers(&self) -> Vec<Named<E>> {
        let mut all = self.parameters();
        all.append(&mut self.buffers());
        all
    }

    /// The tensors of those.
    pub(crate) fn tensors_of_all(&self) -> Vec<E::Tensor> {
        let mut tensors = Vec::new();
        for named in self.parameters_and_buffers() {
            tensors.push(named.tensor);
        }
        tensors
    }

    /// Parameters of this module and not of its children.
    pub(crate) fn own_parameters(&self) -> Vec<(String, E::Tensor)> {
        self.own(&|layer| layer.parameters())
    }

    /// Buffers of this module and not of its children.
    pub(crate) fn own_buffers(&self) -> Vec<(String, E::Tensor)> {
        self.own(&|layer| layer.buffers())
    }

    fn own(&self, of: &TensorsOf<E>) -> Vec<(String, E::Tensor)> {
        match &self.body {
            Body::Layer(layer) => {
                of(layer.as_ref()).into_iter().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect()
            }
            Body::Modules(_) => Vec::new(),
        }
    }

    fn tensors(&self, of: &TensorsOf<E>) -> Vec<Named<E>> {
        let mut found = Vec::new();
        for (name, tensor) in self.own(of) {
            found.push(Named { name, kind: self.kind, tensor });
        }
        self.walk(&mut String::new(), &mut |path, module| {
            for (name, tensor) in module.own(of) {
                found.push(Named { name: format!("{path}.{name}"), kind: module.kind, tensor });
            }
        });
        found
    }

    /// True for this module and every one inside it.
    pub(crate) fn holds(self: &Rc<Self>, other: &Rc<Self>) -> bool {
        Rc::ptr_eq(self, other) || self.children().iter().any(|(_, child)| child.holds(other))
    }
}

/// Modules under their names, or under their positions where they have none.
pub(crate) fn keyed<E: Engine>(modules: Vec<Module<E>>) -> Result<Vec<(String, Rc<Module<E>>)>> {
    let key = |(position, module): (usize, Module<E>)| {
        (module.name.clone().unwrap_or_else(|| position.to_string()), Rc::new(module))
    };
    let keyed: Vec<_> = modules.into_iter().enumerate().map(key).collect();
    match repeated(&keyed.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>())? {
        None => Ok(keyed),
        Some(key) => Err(Error::new(Code::Argument, format!("two modules of one container are named `{key}`"))),
    }
}

/// Tensors by name.
struct ParameterDictionary<T>(Vec<(String, T)>);

impl<E: Engine> Layer<E> for ParameterDictionary<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect()
    }

    fn forward(&self, _: &mut ForwardContext<'_, E>, _: &E::Tensor) -> Result<E::Tensor> {
        Err(Error::new(Code::Argument, "holds tensors and does not run"))
    }
}

/// A name that cannot be mistaken for a path.
pub(crate) fn checked_name(name: &str) -> Result<String> {
    if name.is_empty() || name.contains('.') {
        return Err(Error::new(Code::Argument, format!("expected a name without dots, given \"{name}\"")));
    }
    Ok(name.to_owned())
}

fn not_a_module(given: &Value) -> Error {
    let message = format!("expected a module such as [\"linear\", 128, 10] or seq(...), given {given}");
    Error::new(Code::Argument, message)
}
