//! A module as plain data, parameters included, and back.
//!
//! A list of rows, one for each module, depth first: `depth module name options parms buffers`. Names that a caller
//! chose are also a list, `names`: JavaScript moves keys that look like numbers to the front of an object.

use stepwell_optim::{Code, Error, Number, Result, Results};

use crate::engine::Engine;
use crate::nn::context::InitContext;
use crate::nn::layers::batchnorm::may_be_missing;
use crate::nn::module::{Module, checked_name, keyed};
use crate::values::convert::{check_keys, to_value};
use crate::values::dedupe::positions_of;
use crate::values::device::Device;
use crate::values::numbers::array;
use crate::values::value::{NumericArray, Value};

/// Modules nested deeper than this are refused, before recursion could exhaust the stack.
const MAX_DEPTH: usize = 128;

/// Reads what rows hold of the tensors of a module.
type TensorReader<E> = dyn Fn(&E, Vec<(String, <E as Engine>::Tensor)>) -> Result<Value>;

/// The rows of a module.
pub(crate) fn rows<E: Engine>(engine: &E, module: &Module<E>) -> Result<Value> {
    let mut rows = Vec::new();
    collect(engine, &elements, module, module.name.as_deref(), 0, &mut rows)?;
    Ok(Value::Array(rows))
}

/// The rows of a module, with [`properties`] in the place of tensors.
pub(crate) fn outline<E: Engine>(engine: &E, module: &Module<E>) -> Result<Value> {
    let mut rows = Vec::new();
    collect(engine, &properties, module, module.name.as_deref(), 0, &mut rows)?;
    Ok(Value::Array(rows))
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

fn collect<E: Engine>(
    engine: &E,
    read: &TensorReader<E>,
    module: &Module<E>,
    name: Option<&str>,
    depth: usize,
    rows: &mut Vec<Value>,
) -> Result<()> {
    let options = module.options.iter().map(|(name, value)| (*name, to_value(value)));
    let parms = module.own_parameters();
    let names = Module::<E>::is_parameter_dictionary(module.kind)
        .then(|| ("names", Value::strings(parms.iter().map(|(name, _)| name))));
    let row = [
        ("depth", Value::Number(depth as f64)),
        ("module", Value::string(module.kind)),
        ("name", Value::string(name.unwrap_or_default())),
        ("options", Value::object(options)),
        ("parms", read(engine, parms)?),
        ("buffers", read(engine, module.own_buffers())?),
    ];
    rows.push(Value::object(row.into_iter().chain(names)));
    for (position, (key, child)) in module.children().iter().enumerate() {
        let name = Some(key.as_str()).filter(|key| *key != position.to_string());
        collect(engine, read, child, name, depth + 1, rows)?;
    }
    Ok(())
}

/// True for rows of [`rows`], and not for a specification.
pub(crate) fn is_state(given: &Value) -> bool {
    matches!(given, Value::Array(rows) if matches!(rows.first(), Some(Value::Object(_))))
}

/// The module of some rows, with its parameters as they were.
pub(crate) fn restore<E: Engine>(given: &Value, context: &mut InitContext<'_, E>) -> Result<Module<E>> {
    let Value::Array(list) = given else { return Err(malformed("a list of rows", given)) };
    let rows = list.iter().map(Row::parse).values()?;
    let mut rest = rows.as_slice();
    let module = module_from_rows(&mut rest, 0, context)?;
    match rest.first() {
        None => Ok(module),
        Some(row) => Err(Error::new(Code::Format, format!("module state: a row of depth {} has no parent", row.depth))),
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
    buffers: &'a [(String, Value)],
}

impl<'a> Row<'a> {
    fn parse(given: &'a Value) -> Result<Self> {
        let Value::Object(entries) = given else { return Err(malformed("a row as a dictionary", given)) };
        check_keys("module state", entries, &["depth", "module", "name", "options", "parms", "buffers", "names"])?;
        let column = |key: &str| match entries.iter().find(|(name, _)| name == key) {
            Some((_, value)) => Ok(value),
            None => Err(Error::new(Code::Format, format!("module state: a row lacks the column `{key}`"))),
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
            return Err(Error::new(Code::Format, format!("module state: depth {depth} is not from 0 to {MAX_DEPTH}")));
        }
        let names = match entries.iter().find(|(key, _)| key == "names") {
            None => None,
            Some((_, Value::Array(list))) => Some(list.as_slice()),
            Some((_, other)) => return Err(malformed("names as a list", other)),
        };
        Ok(Self {
            names,
            depth: *depth as usize,
            kind,
            name: if name.is_empty() { None } else { Some(checked_name(name)?) },
            options: dictionary("options")?,
            parms: dictionary("parms")?,
            buffers: dictionary("buffers")?,
        })
    }
}

/// The module that begins at the first row, with all rows that belong to it.
fn module_from_rows<E: Engine>(
    rows: &mut &[Row<'_>],
    depth: usize,
    context: &mut InitContext<'_, E>,
) -> Result<Module<E>> {
    let Some((row, rest)) = rows.split_first().filter(|(row, _)| row.depth == depth) else {
        return Err(Error::new(Code::Format, format!("module state: expected a row of depth {depth}")));
    };
    *rows = rest;
    let mut children = Vec::new();
    while rows.first().is_some_and(|row| row.depth > depth) {
        children.push(module_from_rows(rows, depth + 1, context)?);
    }
    if let Some(module) = Module::container(row.kind, row.name.clone()) {
        return Ok(module.with_children(keyed(children)?));
    }
    if !children.is_empty() {
        return Err(Error::new(Code::Format, format!("module state: a {} has no children", row.kind)));
    }
    if Module::<E>::is_parameter_dictionary(row.kind) {
        return parameter_dictionary(row, context);
    }
    let mut specification = vec![Value::string(row.kind)];
    specification.extend(row.name.iter().map(Value::string));
    specification.push(Value::Object(row.options.to_vec()));
    let module = Module::make(&Value::Array(specification), context)?;
    set(context.engine, row, row.parms, module.own_parameters())?;
    set(context.engine, row, row.buffers, module.own_buffers())?;
    Ok(module)
}

fn parameter_dictionary<E: Engine>(row: &Row<'_>, context: &mut InitContext<'_, E>) -> Result<Module<E>> {
    let tensors = in_order(row)?.into_iter().map(|(name, value)| {
        let array = array(value)?.ok_or_else(|| malformed("numbers", value))?;
        let tensor = context.engine.tensor(&array.data, &array.shape, Device::Cpu)?;
        context.engine.set_requires_grad(&tensor, true)?;
        Ok((checked_name(name)?, tensor))
    });
    let mut module = Module::parameter_dictionary(tensors.values()?);
    module.name.clone_from(&row.name);
    Ok(module)
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
                let message = format!("module state: the {} lacks the tensor `{name}`", row.kind);
                return Err(Error::new(Code::Format, message));
            }
        };
        found += 1;
        let shape = engine.shape(&tensor)?;
        if array.shape != shape {
            let message = format!("module state: `{name}`: expected size {shape:?}, given {:?}", array.shape);
            return Err(Error::new(Code::Shape, message));
        }
        let (dtype, own) = (array.data.dtype(), engine.dtype(&tensor)?);
        if dtype.is_floating() != own.is_floating() {
            let expected = if own.is_floating() { "floating point" } else { own.name() };
            let message = format!("module state: `{name}` is {}, expected {expected}", dtype.name());
            return Err(Error::new(Code::Dtype, message));
        }
        if dtype != own {
            engine.replace(&tensor, &engine.convert(&tensor, dtype, Device::Cpu)?)?;
        }
        engine.assign(&tensor, &array.data)?;
    }
    if found < saved.len() {
        let message = format!("module state: a {} has {count} tensors, given {} and others", row.kind, saved.len());
        return Err(Error::new(Code::Format, message));
    }
    Ok(())
}

fn malformed(expected: &str, given: &Value) -> Error {
    Error::new(Code::Format, format!("module state: expected {expected}, given {given}"))
}
