//! Options as numbers, for libtorch's own optimizers.

use stepwell_optim::OptionValue;

/// An option as a number: a flag is 0 or 1, null is NaN.
pub(crate) fn option_number(value: &OptionValue) -> f64 {
    match value {
        OptionValue::Float(number) => *number,
        OptionValue::Integer(number) => *number as f64,
        OptionValue::Flag(flag) => f64::from(u8::from(*flag)),
        // A line search: the only option that is a word.
        OptionValue::Word(_) => 1.0,
        OptionValue::Null | OptionValue::Undefined | OptionValue::List(_) => f64::NAN,
    }
}
