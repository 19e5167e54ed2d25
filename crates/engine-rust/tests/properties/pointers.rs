//! Results of two sessions, whose tensors have other identities.

use stepwell_session::Value;

/// A result without the identities of tensors.
pub(crate) fn without_pointers(value: Value) -> Value {
    match value {
        Value::Array(list) => Value::Array(list.into_iter().map(without_pointers).collect()),
        Value::Object(entries) => {
            let entries = entries.into_iter().filter(|(key, _)| key != "pointer");
            Value::Object(entries.map(|(key, value)| (key, without_pointers(value))).collect())
        }
        other => other,
    }
}
