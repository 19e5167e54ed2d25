//! The generator of random numbers: its state as plain data, and back.

use stepwell_optim::{Code, Error, Result};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::random::Random;
use crate::session::Session;
use crate::values::data::Data;
use crate::values::value::{NumericArray, Value};

/// The largest position that a number of JavaScript holds exactly, 2^53 words.
const MAX_POSITION: f64 = 9_007_199_254_740_992.0;

/// `generator([numbers])`: the state of the generator as numbers, or sets it: the words of its key, and its position.
pub(crate) fn generator<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let (mut words, mut position) = session.random.state();
    if arguments.is_empty() {
        let mut numbers: Vec<f64> = words.iter().map(|word| f64::from(*word)).collect();
        numbers.push(position as f64);
        return Ok(Value::NumericArray(NumericArray { shape: vec![numbers.len()], data: Data::Double(numbers) }));
    }
    let given = arguments.numbers("the words of a key and a position")?;
    arguments.finish()?;
    let is_whole = |number: &f64, most: f64| number.fract() == 0.0 && (0.0..=most).contains(number);
    match given.split_last() {
        Some((last, key)) if key.len() == words.len() && is_whole(last, MAX_POSITION) => {
            for (word, number) in words.iter_mut().zip(key) {
                if !is_whole(number, f64::from(u32::MAX)) {
                    return Err(misfit());
                }
                *word = *number as u32;
            }
            position = *last as u64;
        }
        _ => return Err(misfit()),
    }
    session.random = Random::from_state(words, position);
    Ok(Value::Null)
}

fn misfit() -> Error {
    Error::new(Code::Format, "expected the state of a generator")
}
