//! Options of the data loaders of a model, and positions in an epoch, as plain data for the file of a run.

use stepwell_optim::{OptionSet, Result, Results};

use crate::commands::saved_file::malformed;
use crate::commands::state_entries::{Entries, dictionary, entry, whole};
use crate::engine::Engine;
use crate::training::data_loader::{DataLoader, EpochPosition, TestOptions, TrainOptions};
use crate::training::metrics::BatchMetrics;
use crate::training::model::Model;
use crate::values::data::Data;
use crate::values::value::{NumericArray, Value};

/// Options and position of a data loader.
pub(crate) struct LoaderState {
    options: Vec<(String, Value)>,
    position: Option<EpochPosition>,
}

/// The options of a data loader, and its position in an epoch.
pub(crate) fn loader_value<E: Engine>(loader: &DataLoader<E>, options: Value) -> Value {
    let order = |order: &[usize]| {
        let data = Data::Long(order.iter().map(|sample| *sample as i64).collect());
        Value::NumericArray(NumericArray { shape: vec![order.len()], data })
    };
    let position = loader.position().map_or(Value::Null, |position| {
        let (epoch, next) = match &position.epoch {
            Some((samples, next)) => (order(samples), Value::Number(*next as f64)),
            None => (Value::Null, Value::Null),
        };
        let measured: Vec<f64> = position.measured.iter().flat_map(|batch| batch.numbers()).collect();
        let shape = vec![position.measured.len(), 4];
        Value::object([
            ("count", Value::Number(position.count as f64)),
            ("order", epoch),
            ("next", next),
            ("shuffled", position.shuffled.as_deref().map_or(Value::Null, order)),
            ("measured", Value::NumericArray(NumericArray { data: Data::Double(measured), shape })),
        ])
    });
    Value::object([("options", options), ("position", position)])
}

/// The state of a data loader of a model.
pub(crate) fn loader_state(entries: &Entries, key: &str) -> Result<LoaderState> {
    let saved = dictionary(key, entry(entries, key)?)?;
    let options = dictionary("options", entry(saved, "options")?)?.to_vec();
    let position = match entry(saved, "position")? {
        Value::Null => None,
        position => Some(epoch_position(dictionary("position", position)?)?),
    };
    Ok(LoaderState { options, position })
}

fn epoch_position(entries: &Entries) -> Result<EpochPosition> {
    let count = whole(entries, "count", 1 << 53)? as usize;
    let order = |key: &str| match entry(entries, key)? {
        Value::Null => Ok(None),
        Value::NumericArray(NumericArray { data: Data::Long(samples), .. }) => {
            let order = samples.iter().map(|sample| usize::try_from(*sample).map_err(|_| malformed("samples")));
            order.values().map(Some)
        }
        _ => Err(malformed("the order of samples")),
    };
    let epoch = match order("order")? {
        None => None,
        Some(order) => {
            let next = whole(entries, "next", order.len() as u64)? as usize;
            Some((order, next))
        }
    };
    let measured = match entry(entries, "measured")? {
        Value::NumericArray(NumericArray { data: Data::Double(numbers), .. }) => {
            numbers.as_chunks().0.iter().map(|batch| BatchMetrics::from_numbers(*batch)).collect()
        }
        _ => return Err(malformed("the measurements of an epoch")),
    };
    Ok(EpochPosition { count, epoch, shuffled: order("shuffled")?, measured })
}

/// Fails unless a model can go to these positions.
pub(crate) fn check_positions<E: Engine>(model: &Model<E>, loaders: &[LoaderState; 2]) -> Result<()> {
    for (loader, state) in [&model.train, &model.test].into_iter().zip(loaders) {
        if let Some(position) = &state.position {
            loader.check_position(position)?;
        }
    }
    Ok(())
}

/// Gives the options and positions of training and of testing to a model.
pub(crate) fn set_loaders<E: Engine>(model: &mut Model<E>, [train, test]: [LoaderState; 2]) -> Result<()> {
    let Model { train: own_train, test: own_test, loss, .. } = model;
    own_train.set_options("train", TrainOptions::SPECS, train.options, loss, TrainOptions::check)?;
    own_test.set_options("test", TestOptions::SPECS, test.options, loss, |_| Ok(()))?;
    for (loader, position) in [(own_train, train.position), (own_test, test.position)] {
        if let Some(position) = position {
            loader.set_position(position);
        }
    }
    Ok(())
}
