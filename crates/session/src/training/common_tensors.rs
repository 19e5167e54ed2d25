//! Tensors that the processes of a training have in common: the parameters of the optimizer, and what its modules have besides.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use stepwell_optim::{Code, Error, Result, Shared};

use crate::engine::Engine;
use crate::engine::process_group::ProcessGroup;
use crate::nn::module::{Module, Named};
use crate::training::same_objects::{Digest, different};
use crate::values::data::Data;
use crate::values::dtype::Dtype;
use crate::values::element_bytes::write_elements;

/// The modules that processes train.
pub(crate) struct CommonModules<E: Engine>(Arc<[Shared<Module<E>>]>);

impl<E: Engine> Clone for CommonModules<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E: Engine> CommonModules<E> {
    pub(crate) fn new(modules: Vec<Shared<Module<E>>>) -> Self {
        Self(modules.into())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Shared<Module<E>>> {
        self.0.iter()
    }

    /// The parameters that the optimizer does not have, each once.
    pub(crate) fn other_parameters(&self, engine: &E, parameters: &[E::Tensor]) -> Vec<Named<E>> {
        let mut known: HashSet<u64> = parameters.iter().map(|tensor| engine.identity(tensor)).collect();
        let all = self.iter().flat_map(|module| module.parameters());
        all.filter(|named| known.insert(engine.identity(&named.tensor))).collect()
    }

    /// The tensors that a forward pass writes to, such as running statistics, each once.
    pub(crate) fn buffers(&self, engine: &E) -> Vec<Named<E>> {
        let mut known = HashSet::new();
        let all = self.iter().flat_map(|module| module.written(true));
        all.filter(|named| known.insert(engine.identity(&named.tensor))).collect()
    }

    /// All tensors in a fixed order, each with its name: the parameters of the optimizer, other parameters, and buffers.
    pub(crate) fn tensors(&self, engine: &E, parameters: &[E::Tensor]) -> Vec<(String, E::Tensor)> {
        let mut names = HashMap::new();
        for named in self.iter().flat_map(|module| module.parameters()) {
            names.entry(engine.identity(&named.tensor)).or_insert(named.name);
        }
        let mut tensors = Vec::new();
        for (index, tensor) in parameters.iter().enumerate() {
            let name = names.get(&engine.identity(tensor)).cloned();
            tensors.push((name.unwrap_or_else(|| index.to_string()), tensor.clone()));
        }
        let others = self.other_parameters(engine, parameters).into_iter().chain(self.buffers(engine));
        tensors.extend(others.map(|Named { name, tensor, .. }| (name, tensor)));
        tensors
    }

    /// The identities of all parameters and buffers.
    pub(crate) fn identities(&self, engine: &E) -> Vec<u64> {
        let mut tensors = Vec::new();
        self.iter().for_each(|module| module.add_tensors(&mut tensors));
        tensors.into_iter().map(|tensor| engine.identity(tensor)).collect()
    }
}

/// Sets buffers of whole numbers to the largest of the processes. A count of batches is then the one of one process, since a process that
/// has no samples of a batch does not count it.
pub(super) fn take_largest<E: Engine>(
    engine: &E,
    group: &dyn ProcessGroup<E::Tensor>,
    counts: &[E::Tensor],
) -> Result<()> {
    let mut own = Vec::new();
    for tensor in counts {
        let Data::Double(mut numbers) = engine.data(tensor)?.cast(Dtype::Double)? else { continue };
        own.append(&mut numbers);
    }
    let rows = group.gather(&own)?;
    let mut largest = (0..own.len()).map(|i| rows.iter().map(|row| row[i]).fold(f64::NEG_INFINITY, f64::max));
    for tensor in counts {
        let numbers: Vec<f64> = largest.by_ref().take(engine.shape(tensor)?.iter().product()).collect();
        engine.assign(tensor, &Data::Double(numbers).cast(engine.dtype(tensor)?)?)?;
    }
    Ok(())
}

/// Fails on all processes unless the tensors have the same elements on each.
pub(super) fn check_elements<E: Engine>(
    engine: &E,
    group: &dyn ProcessGroup<E::Tensor>,
    tensors: &[(String, E::Tensor)],
    advice: &str,
) -> Result<()> {
    let mut digests = Vec::with_capacity(2 * tensors.len());
    for (_, tensor) in tensors {
        digests.extend(digest(engine, tensor)?.numbers());
    }
    let rows = group.gather(&digests)?;
    let Some(rank) = different(&rows) else { return Ok(()) };
    let differs = |i: &usize| rows[rank][2 * i..][..2] != rows[0][2 * i..][..2];
    let name = (0..tensors.len()).find(differs).map_or("", |i| &tensors[i].0);
    let message = format!("`{name}` has other elements on rank {rank} than on rank 0, {advice}");
    Err(Error::new(Code::Parameter, message))
}

/// A digest of the elements of a tensor.
pub(super) fn digest<E: Engine>(engine: &E, tensor: &E::Tensor) -> Result<Digest> {
    let mut digest = Digest::default();
    let is_read = engine.with_bytes(tensor, &mut |bytes| {
        digest.add(bytes);
        Ok(())
    })?;
    if !is_read {
        let unwritten = |error: std::io::Error| Error::new(Code::Internal, error.to_string());
        write_elements(&mut digest, &engine.data(tensor)?).map_err(unwritten)?;
    }
    Ok(digest)
}
