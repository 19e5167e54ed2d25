//! A module as plain data, parameters included, and back.
//!
//! A list of rows, one for each module, depth first: `depth module name options parms buffers`. Names that a caller
//! chose are also a list, `names`: JavaScript moves keys that look like numbers to the front of an object.

use stepwell_optim::{Code, Error, Number, OptionValue, Result, Results, Shared, SharedCell};

use crate::engine::Engine;
use crate::nn::callback::{Callback, FUNCTION};
use crate::nn::container::Container;
use crate::nn::context::InitContext;
use crate::nn::layers::normalization::running::may_be_missing;
use crate::nn::module::{CALLBACK, Children, Module, PARAMETER_DICTIONARY, check_keys, checked_name};
use crate::values::convert::{check_keys as check_columns, to_value};
use crate::values::dedupe::positions_of;
use crate::values::device::Device;
use crate::values::numbers::{Numbers, array};
use crate::values::value::{Entries, NumericArray, Value};

/// Modules nested deeper than this are refused, before recursion could exhaust the stack.
const MAX_DEPTH: usize = 128;

/// Reads what rows hold of the tensors of a module, which has a dotted name.
pub(crate) type TensorReader<'a, E> = dyn Fn(&E, &str, Vec<(String, <E as Engine>::Tensor)>) -> Result<Value> + 'a;

/// The rows of a module.
pub(crate) fn rows<E: Engine>(engine: &E, module: &Shared<Module<E>>) -> Result<Value> {
    rows_with(engine, module, &|engine, _, tensors| elements(engine, tensors))
}

/// The rows of a module, with what `read` makes of its tensors.
pub(crate) fn rows_with<E: Engine>(
    engine: &E,
    module: &Shared<Module<E>>,
    read: &TensorReader<'_, E>,
) -> Result<Value> {
    let ties = Ties::of(engine, module);
    let mut collection = Collection { engine, read, ties: Some(ties), rows: Vec::new() };
    collection.add(module, module.name.as_deref(), 0, "")?;
    Ok(Value::Array(collection.rows))
}

/// The rows of a module, with [`properties`] in the place of tensors.
pub(crate) fn outline<E: Engine>(engine: &E, module: &Shared<Module<E>>) -> Result<Value> {
    let read = |engine: &E, _: &str, tensors| properties(engine, tensors);
    let mut collection = Collection { engine, read: &read, ties: None, rows: Vec::new() };
    collection.add(module, module.name.as_deref(), 0, "")?;
    Ok(Value::Array(collection.rows))
}

fn elements<E: Engine>(engine: &E, tensors: Vec<(String, E::Tensor)>) -> Result<Value> {
    let entries = tensors.into_iter().map(|(name, tensor)| {
        let (data, shape) = (engine.data(&tensor)?, engine.shape(&tensor)?);
        Ok((name, Value::NumericArray(NumericArray { data, shape })))
    });
    Ok(Value::Object(entries.values()?))
}

/// `[name, dtype, device, grad, size]` of each tensor.
pub(crate) fn properties<E: Engine>(engine: &E, tensors: Vec<(String, E::Tensor)>) -> Result<Value> {
    let mut list = Vec::new();
    for (name, tensor) in tensors {
        list.push(Value::Array(vec![
            Value::String(name),
            Value::string(engine.dtype(&tensor)?.name()),
            Value::string(engine.device(&tensor)?.to_string()),
            Value::Bool(engine.requires_grad(&tensor)),
            Value::sizes(&engine.shape(&tensor)?),
        ]));
    }
    Ok(Value::Array(list))
}

/// Where modules and tensors that occur several times are stored.
struct Ties<E: Engine> {
    /// The first place of each module that others hold too.
    modules: Vec<(*const Module<E>, String)>,
    /// The places of tensors by identity, in ascending order. The first layer that has a tensor comes before other modules.
    tensors: Vec<(u64, String)>,
}

impl<E: Engine> Ties<E> {
    fn of(engine: &E, root: &Shared<Module<E>>) -> Self {
        let mut tensors = Vec::new();
        let mut all = root.descendants();
        all.insert(0, (String::new(), Shared::clone(root)));
        // Layers first: their tensors are made with them, and others can share these.
        for is_layer in [true, false] {
            for (path, module) in &all {
                if is_layer != holds_others(module.kind) {
                    for (name, tensor) in module.own_parameters().into_iter().chain(module.own_buffers()) {
                        tensors.push((engine.identity(&tensor), joined(path, &name)));
                    }
                }
            }
        }
        // Stable, so that places of one tensor stay in order.
        tensors.sort_by_key(|(identity, _)| *identity);
        Self { modules: Vec::new(), tensors }
    }

    /// The place of the tensor that a module has as `name`, if it is another one.
    fn elsewhere(&self, identity: u64, name: &str) -> Option<&str> {
        let first = self.tensors.partition_point(|(other, _)| *other < identity);
        let (other, place) = self.tensors.get(first)?;
        (*other == identity && place != name).then_some(place.as_str())
    }

    /// The place of a module before, which otherwise becomes the present one.
    fn visited(&mut self, module: &Shared<Module<E>>, path: &str) -> Option<String> {
        if Shared::strong_count(module) < 2 {
            return None;
        }
        let found = self.modules.iter().find(|(other, _)| *other == Shared::as_ptr(module));
        if let Some((_, place)) = found {
            return Some(place.clone());
        }
        self.modules.push((Shared::as_ptr(module), path.to_owned()));
        None
    }
}

/// True for a kind of module whose tensors can belong to other modules too.
fn holds_others(kind: &str) -> bool {
    kind == CALLBACK || kind == PARAMETER_DICTIONARY
}

/// A dotted name. Either part may be empty.
pub(crate) fn joined(path: &str, name: &str) -> String {
    match (path, name) {
        ("", name) => name.to_owned(),
        (path, "") => path.to_owned(),
        (path, name) => format!("{path}.{name}"),
    }
}

/// Rows of modules, depth first.
struct Collection<'a, E: Engine> {
    engine: &'a E,
    read: &'a TensorReader<'a, E>,
    /// `None` to repeat what occurs several times.
    ties: Option<Ties<E>>,
    rows: Vec<Value>,
}

impl<E: Engine> Collection<'_, E> {
    fn add(&mut self, module: &Shared<Module<E>>, name: Option<&str>, depth: usize, path: &str) -> Result<()> {
        let place = self.ties.as_mut().and_then(|ties| ties.visited(module, path));
        let is_tied = place.is_some();
        let options = module.options.iter().map(|(name, value)| (*name, to_value(value)));
        let (parms, buffers) =
            if is_tied { (Vec::new(), Vec::new()) } else { (module.own_parameters(), module.own_buffers()) };
        let names = holds_others(module.kind).then(|| Value::strings(parms.iter().map(|(name, _)| name)));
        let mut row = Entries::new();
        row.number("depth", depth as f64);
        row.text("module", module.kind);
        row.text("name", name.unwrap_or_default());
        row.add("options", Value::object(options));
        row.add("parms", self.tensors(parms, path)?);
        row.add("buffers", self.tensors(buffers, path)?);
        if let Some(names) = names {
            row.add("names", names);
        }
        if let Some(place) = place {
            row.add("tied", Value::String(place));
        }
        self.rows.push(row.value());
        if is_tied {
            return Ok(());
        }
        for (position, (key, child)) in module.children().iter().enumerate() {
            let name = Some(key.as_str()).filter(|key| *key != position.to_string());
            self.add(child, name, depth + 1, &joined(path, key))?;
        }
        Ok(())
    }

    /// The tensors of a row; in the place of one that another row has, its name there.
    fn tensors(&self, tensors: Vec<(String, E::Tensor)>, path: &str) -> Result<Value> {
        let place = |(name, tensor): &(String, E::Tensor)| {
            self.ties.as_ref()?.elsewhere(self.engine.identity(tensor), &joined(path, name)).map(str::to_owned)
        };
        let places: Vec<_> = tensors.iter().map(place).collect();
        if places.iter().all(Option::is_none) {
            return (self.read)(self.engine, path, tensors);
        }
        let mut entries = Vec::new();
        for (tensor, place) in tensors.into_iter().zip(places) {
            match place {
                Some(place) => entries.push((tensor.0, Value::String(place))),
                None => match (self.read)(self.engine, path, vec![tensor])? {
                    Value::Object(mut own) => entries.append(&mut own),
                    other => return Ok(other),
                },
            }
        }
        Ok(Value::Object(entries))
    }
}

/// True for rows of [`rows`], and not for a specification.
pub(crate) fn is_state(given: &Value) -> bool {
    matches!(given, Value::Array(rows) if matches!(rows.first(), Some(Value::Object(_))))
}

/// The module of some rows, with its parameters as they were. An array without the elements of its shape gives a tensor whose
/// elements are to be set.
pub(crate) fn restore<E: Engine>(given: &Value, context: &mut InitContext<'_, E>) -> Result<Shared<Module<E>>> {
    let Value::Array(list) = given else { return Err(malformed("a list of rows", given)) };
    let rows = list.iter().map(Row::parse).values()?;
    let mut restored =
        Restored { rows: &rows, paths: paths(&rows), layers: Vec::new(), tensors: Vec::new(), modules: Vec::new() };
    restored.make_layers(context)?;
    restored.make_tensors(context.engine)?;
    let mut position = 0;
    let module = restored.module(&mut position, 0)?;
    match rows.get(position) {
        None => Ok(module),
        Some(row) => {
            Err(Error::new(Code::Format, format_args!("module state: a row of depth {} has no parent", row.depth)))
        }
    }
}

/// An error about a part of a layer, which its options say that it has.
fn lacks_part(name: &str, kind: &str) -> Error {
    Error::new(Code::Format, format_args!("module state: expected a row of `{name}`, a {kind}, in its place"))
}

/// The dotted name of the module of each row of a state.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn paths_of(given: &Value) -> Result<Vec<String>> {
    let Value::Array(list) = given else { return Err(malformed("a list of rows", given)) };
    Ok(paths(&list.iter().map(Row::parse).values()?))
}

/// The dotted name of the module of each row.
fn paths(rows: &[Row<'_>]) -> Vec<String> {
    let (mut paths, mut above): (Vec<String>, Vec<(String, usize)>) = (Vec::new(), Vec::new());
    for row in rows {
        above.truncate(row.depth);
        let path = match above.last_mut() {
            None => String::new(),
            Some((path, children)) => {
                *children += 1;
                joined(path, &row.name.clone().unwrap_or_else(|| (*children - 1).to_string()))
            }
        };
        above.push((path.clone(), 0));
        paths.push(path);
    }
    paths
}

/// A module that is being restored: layers first, then the tensors of other modules, which layers may have too.
struct Restored<'a, 'b, E: Engine> {
    rows: &'b [Row<'a>],
    paths: Vec<String>,
    /// The layer of each row, if it has one.
    layers: Vec<Option<Shared<Module<E>>>>,
    tensors: Vec<(String, E::Tensor)>,
    modules: Vec<(String, Shared<Module<E>>)>,
}

impl<E: Engine> Restored<'_, '_, E> {
    fn make_layers(&mut self, context: &mut InitContext<'_, E>) -> Result<()> {
        // Twice as many as the state has: an error about a smaller misfit names the tensor.
        let mut stored = 0usize;
        for (_, value) in self.rows.iter().flat_map(|row| row.parms.iter().chain(row.buffers)) {
            stored += array(value).ok().flatten().map_or(0, |array| count_of(&array));
        }
        context.remaining = stored.saturating_mul(2);
        let mut parts: Vec<(String, Shared<Module<E>>)> = Vec::new();
        for (row, path) in self.rows.iter().zip(&self.paths) {
            let module = match parts.pop() {
                Some((expected, part)) if expected == *path && part.kind == row.kind && row.tied.is_none() => part,
                Some((expected, part)) => return Err(lacks_part(&expected, part.kind)),
                None if row.tied.is_some() || Container::named(row.kind).is_some() || holds_others(row.kind) => {
                    self.layers.push(None);
                    continue;
                }
                None => {
                    let mut specification = vec![Value::string(row.kind)];
                    specification.extend(row.name.iter().map(Value::string));
                    specification.push(Value::Object(row.options.to_vec()));
                    let module = Module::make(&Value::Array(specification), None, context)?;
                    for (name, part) in module.descendants().into_iter().rev() {
                        parts.push((joined(path, &name), part));
                    }
                    module
                }
            };
            set(context.engine, row, row.parms, module.own_parameters())?;
            set(context.engine, row, row.buffers, module.own_buffers())?;
            for (name, tensor) in module.own_parameters().into_iter().chain(module.own_buffers()) {
                self.tensors.push((joined(path, &name), tensor));
            }
            self.layers.push(Some(module));
        }
        parts.pop().map_or(Ok(()), |(expected, part)| Err(lacks_part(&expected, part.kind)))
    }

    fn make_tensors(&mut self, engine: &E) -> Result<()> {
        for (row, path) in self.rows.iter().zip(&self.paths) {
            if !holds_others(row.kind) {
                continue;
            }
            for (is_trained, entries) in [(true, row.parms), (false, row.buffers)] {
                for (name, value) in entries {
                    if let Value::String(_) = value {
                        continue;
                    }
                    let array = array(value)?.ok_or_else(|| malformed("numbers", value))?;
                    let tensor = match is_whole(&array) {
                        true => engine.tensor(&array.data, &array.shape, Device::Cpu)?,
                        false => engine.blank(array.data.dtype(), &array.shape)?,
                    };
                    if is_trained {
                        engine.set_requires_grad(&tensor, true)?;
                    }
                    self.tensors.push((joined(path, name), tensor));
                }
            }
        }
        Ok(())
    }

    /// The module of the row at a position, which becomes the one of the next module.
    fn module(&mut self, position: &mut usize, depth: usize) -> Result<Shared<Module<E>>> {
        let rows = self.rows;
        let Some(row) = rows.get(*position).filter(|row| row.depth == depth) else {
            return Err(Error::new(Code::Format, format_args!("module state: expected a row of depth {depth}")));
        };
        let index = *position;
        *position += 1;
        let mut children = Vec::new();
        while rows.get(*position).is_some_and(|row| row.depth > depth) {
            let path = &self.paths[*position];
            let start = path.bytes().rposition(|byte| byte == b'.').map_or(0, |point| point + 1);
            let key = path[start..].to_owned();
            children.push((key, self.module(position, depth + 1)?));
        }
        let module = self.assembled(row, index, children)?;
        self.modules.push((self.paths[index].clone(), Shared::clone(&module)));
        Ok(module)
    }

    fn assembled(&self, row: &Row<'_>, index: usize, children: Children<E>) -> Result<Shared<Module<E>>> {
        if let Some(place) = row.tied {
            let found = self.modules.iter().find(|(path, module)| path == place && module.kind == row.kind);
            let missing =
                || Error::new(Code::Format, format_args!("module state: no {} named `{place}` before", row.kind));
            return found.map(|(_, module)| Shared::clone(module)).ok_or_else(missing);
        }
        if let Some(layer) = &self.layers[index] {
            if layer.children().len() != children.len() {
                let (kind, own) = (row.kind, layer.children().len());
                let message = format_args!("module state: a {kind} has {own} children, given {}", children.len());
                return Err(Error::new(Code::Format, message));
            }
            return Ok(Shared::clone(layer));
        }
        if let Some(kind) = Container::named(row.kind) {
            let kinds: Vec<_> = children.iter().map(|(_, child)| child.kind).collect();
            kind.1.check(&kinds).map_err(|error| error.within("module state"))?;
            check_keys(&children)?;
            return Ok(Shared::new(Module::under_keys(kind, row.name.clone(), children)));
        }
        if row.kind == CALLBACK {
            let options = row.options.iter().find_map(|(name, value)| match value {
                Value::String(word) if name == FUNCTION => Some((FUNCTION, OptionValue::Word(word.clone()))),
                _ => None,
            });
            let callback = Callback {
                function: SharedCell::new(None),
                parameters: self.shared(row, index, in_order(row)?)?,
                buffers: self.shared(row, index, row.buffers.iter().collect())?,
                children,
            };
            return Module::callback(row.name.clone(), options.into_iter().collect(), callback).map(Shared::new);
        }
        if !children.is_empty() {
            return Err(Error::new(Code::Format, format_args!("module state: a {} has no children", row.kind)));
        }
        let mut module = Module::parameter_dictionary(self.shared(row, index, in_order(row)?)?);
        module.name.clone_from(&row.name);
        Ok(Shared::new(module))
    }

    /// The tensors of entries, each its own or the one of another module.
    fn shared(&self, row: &Row<'_>, index: usize, entries: Vec<&(String, Value)>) -> Result<Vec<(String, E::Tensor)>> {
        let known: Vec<&str> = self.tensors.iter().map(|(name, _)| name.as_str()).collect();
        let own: Vec<_> = entries.iter().map(|(name, _)| joined(&self.paths[index], name)).collect();
        let mut places = Vec::new();
        for ((_, value), own) in entries.iter().zip(&own) {
            places.push(if let Value::String(place) = value { place.as_str() } else { own.as_str() });
        }
        let mut tensors = Vec::new();
        for (((name, _), place), position) in entries.iter().zip(&places).zip(positions_of(&places, &known)?) {
            let (_, tensor) = self.tensors.get(position).ok_or_else(|| {
                Error::new(Code::Format, format_args!("module state: a {} has `{place}`, which no row has", row.kind))
            })?;
            tensors.push((checked_name(name)?, tensor.clone()));
        }
        Ok(tensors)
    }
}

/// One row, taken apart.
struct Row<'a> {
    depth: usize,
    kind: &'a str,
    name: Option<String>,
    options: &'a [(String, Value)],
    parms: &'a [(String, Value)],
    /// The names of `parms` in their order, if the row has them.
    names: Option<&'a [Value]>,
    /// The dotted name of the module that this one is, if a row before has it.
    tied: Option<&'a str>,
    buffers: &'a [(String, Value)],
}

impl<'a> Row<'a> {
    fn parse(given: &'a Value) -> Result<Self> {
        let Value::Object(entries) = given else { return Err(malformed("a row as a dictionary", given)) };
        check_columns(
            "module state",
            entries,
            &["depth", "module", "name", "options", "parms", "buffers", "names", "tied"],
        )?;
        let column = |key: &str| match entries.iter().find(|(name, _)| name == key) {
            Some((_, value)) => Ok(value),
            None => Err(Error::new(Code::Format, format_args!("module state: a row lacks the column `{key}`"))),
        };
        let dictionary = |key: &str| match column(key)? {
            Value::Object(entries) => Ok(entries.as_slice()),
            other => Err(malformed(&format!("{key} as a dictionary"), other)),
        };
        let (Value::Number(depth), Value::String(kind), Value::String(name)) =
            (column("depth")?, column("module")?, column("name")?)
        else {
            return Err(malformed("depth, module and name as a number and two strings", given));
        };
        if depth.fract() != 0.0 || !(0.0..=MAX_DEPTH as f64).contains(depth) {
            let depth = Number(*depth);
            return Err(Error::new(
                Code::Format,
                format_args!("module state: depth {depth} is not from 0 to {MAX_DEPTH}"),
            ));
        }
        let names = match entries.iter().find(|(key, _)| key == "names") {
            None => None,
            Some((_, Value::Array(list))) => Some(list.as_slice()),
            Some((_, other)) => return Err(malformed("names as a list", other)),
        };
        let tied = match entries.iter().find(|(key, _)| key == "tied") {
            None => None,
            Some((_, Value::String(place))) => Some(place.as_str()),
            Some((_, other)) => return Err(malformed("tied as a string", other)),
        };
        Ok(Self {
            names,
            tied,
            depth: *depth as usize,
            kind,
            name: if name.is_empty() { None } else { Some(checked_name(name)?) },
            options: dictionary("options")?,
            parms: dictionary("parms")?,
            buffers: dictionary("buffers")?,
        })
    }
}

/// The tensors of a row in the order of its names.
fn in_order<'a>(row: &Row<'a>) -> Result<Vec<&'a (String, Value)>> {
    let parms = row.parms;
    let Some(names) = row.names else { return Ok(parms.iter().collect()) };
    let not_once = || Error::new(Code::Format, "module state: names does not name each of the parms once");
    let mut known: Vec<&str> = Vec::new();
    for (name, _) in parms {
        known.push(name);
    }
    let mut asked = Vec::new();
    for name in names {
        let Value::String(name) = name else { return Err(malformed("names as strings", name)) };
        asked.push(name.as_str());
    }
    let mut ordered = Vec::new();
    for index in positions_of(&asked, &known)? {
        ordered.push(parms.get(index).ok_or_else(not_once)?);
        // Each place once.
        known[index] = "";
    }
    if asked.len() == parms.len() && known.iter().all(|name| name.is_empty()) { Ok(ordered) } else { Err(not_once()) }
}

/// Gives tensors their saved values, and their saved dtype.
fn set<E: Engine>(
    engine: &E,
    row: &Row<'_>,
    saved: &[(String, Value)],
    tensors: Vec<(String, E::Tensor)>,
) -> Result<()> {
    let count = tensors.len();
    let mut found = 0;
    for (name, tensor) in tensors {
        let array = match saved.iter().find(|(key, _)| *key == name) {
            Some((_, value)) => array(value)?.ok_or_else(|| malformed(&format!("numbers as `{name}`"), value))?,
            None if may_be_missing(row.kind, &name) => continue,
            None => {
                let message = format_args!("module state: the {} lacks the tensor `{name}`", row.kind);
                return Err(Error::new(Code::Format, message));
            }
        };
        found += 1;
        let shape = engine.shape(&tensor)?;
        if array.shape != shape {
            let message = format_args!("module state: `{name}`: expected size {shape:?}, given {:?}", array.shape);
            return Err(Error::new(Code::Shape, message));
        }
        let (dtype, own) = (array.data.dtype(), engine.dtype(&tensor)?);
        if dtype.is_floating() != own.is_floating() {
            let expected = if own.is_floating() { "floating point" } else { own.name() };
            let message = format_args!("module state: `{name}` is {}, expected {expected}", dtype.name());
            return Err(Error::new(Code::Dtype, message));
        }
        if dtype != own {
            let other = match is_whole(&array) {
                true => engine.convert(&tensor, dtype, Device::Cpu)?,
                false => engine.blank(dtype, &shape)?,
            };
            engine.replace(&tensor, &other)?;
        }
        if is_whole(&array) {
            engine.assign(&tensor, &array.data)?;
        }
    }
    if found < saved.len() {
        let message =
            format_args!("module state: a {} has {count} tensors, given {} and others", row.kind, saved.len());
        return Err(Error::new(Code::Format, message));
    }
    Ok(())
}

/// The number of elements of an array, which a file may have in its place.
fn count_of(array: &Numbers<'_>) -> usize {
    match cfg!(target_arch = "wasm32") {
        true => array.data.len(),
        false => array.shape.iter().fold(1, |product: usize, size| product.saturating_mul(*size)),
    }
}

/// Whether an array has its elements. WebAssembly has no files.
fn is_whole(array: &Numbers<'_>) -> bool {
    cfg!(target_arch = "wasm32") || array.data.len() == count_of(array)
}

fn malformed(expected: &str, given: &Value) -> Error {
    Error::new(Code::Format, format_args!("module state: expected {expected}, given {given}"))
}
