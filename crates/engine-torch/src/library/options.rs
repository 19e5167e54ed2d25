//! Options as numbers, for libtorch's own optimizers.

use stepwell_optim::Value;

/// An option as a number: a flag is 0 or 1, null is NaN.
pub(crate) fn option_number(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        Value::Integer(number) => *number as f64,
        Value::Flag(flag) => f64::from(u8::from(*flag)),
        // A line search: the only option that is a word.
        Value::Word(_) => 1.0,
        Value::Null | Value::Undefined | Value::List(_) => f64::NAN,
    }
}
