//! Plain data as JSON text, and back, with every number to the bit.
//!
//! JSON has neither infinity nor NaN: they are `{"$number": "Infinity"}`. A key of a caller that begins with `$` gets another.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use stepwell_optim::{Brief, Code, Error};

use crate::values::data::Data;
use crate::values::value::{NumericArray, Value};

/// Key of a number that JSON does not have.
const NUMBER: &str = "$number";

/// Appends a value as JSON.
///
/// # Errors
/// [`Code::Argument`] for handles, `undefined` and typed arrays, which have no text.
pub(crate) fn write(value: &Value, out: &mut String) -> Result<(), Error> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => write_number(*number, out)?,
        Value::String(text) => write_text(text, out)?,
        Value::Array(list) => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (i, (key, item)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_text(key, out)?;
                out.push(':');
                write(item, out)?;
            }
            out.push('}');
        }
        Value::Numbers(NumericArray { data: Data::Double(numbers), shape }) => {
            write_list(&mut numbers.iter(), shape, out)?;
        }
        other => return Err(Error::new(Code::Argument, format!("expected plain data, given {other}"))),
    }
    Ok(())
}

fn write_list(numbers: &mut std::slice::Iter<'_, f64>, shape: &[usize], out: &mut String) -> Result<(), Error> {
    let [length, inner @ ..] = shape else { return numbers.next().map_or(Ok(()), |number| write_number(*number, out)) };
    out.push('[');
    for i in 0..*length {
        if i > 0 {
            out.push(',');
        }
        write_list(numbers, inner, out)?;
    }
    out.push(']');
    Ok(())
}

fn write_number(number: f64, out: &mut String) -> Result<(), Error> {
    if number.is_finite() {
        out.push_str(&json(&number)?);
    } else {
        let word = if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        out.push_str(&format!("{{\"{NUMBER}\":\"{word}\"}}"));
    }
    Ok(())
}

fn write_text(text: &str, out: &mut String) -> Result<(), Error> {
    out.push_str(&json(text)?);
    Ok(())
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::new(Code::Internal, error.to_string()))
}

/// Reads JSON. Entries keep their order; a key that comes twice is an error.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    serde_json::from_str::<Json>(text).map(|Json(value)| value).map_err(|error| error.to_string())
}

struct Json(Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json(Value::Null))
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
                Ok(Json(Value::Bool(flag)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
                Ok(Json(Value::Number(number)))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
                Ok(Json(Value::Number(number as f64)))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
                Ok(Json(Value::Number(number as f64)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json(Value::string(text)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while let Some(Json(item)) = list.next_element()? {
                    items.push(item);
                }
                Ok(Json(Value::Array(items)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut entries: Vec<(String, Value)> = Vec::new();
                let mut keys = std::collections::HashSet::new();
                while let Some((key, Json(item))) = map.next_entry::<String, Json>()? {
                    if !keys.insert(key.clone()) {
                        return Err(A::Error::custom(format_args!("the key `{}` comes twice", Brief(&key))));
                    }
                    entries.push((key, item));
                }
                if let [(key, Value::String(word))] = entries.as_slice()
                    && key == NUMBER
                {
                    return match word.as_str() {
                        "NaN" => Ok(Json(Value::Number(f64::NAN))),
                        "Infinity" => Ok(Json(Value::Number(f64::INFINITY))),
                        "-Infinity" => Ok(Json(Value::Number(f64::NEG_INFINITY))),
                        other => Err(A::Error::custom(format_args!("`{}` is not a number", Brief(other)))),
                    };
                }
                Ok(Json(Value::Object(entries)))
            }
        }
        json.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_come_back_to_the_bit() {
        let numbers = [0.1, -0.0, 1e300, 5e-324, 3.0, 9_007_199_254_740_993.0, f64::INFINITY, f64::NEG_INFINITY];
        let value = Value::object([
            ("numbers", Value::Array(numbers.map(Value::Number).to_vec())),
            ("10", Value::Null),
            ("2", Value::Array(vec![Value::Bool(true), Value::string("a\"\\\n😀")])),
        ]);
        let mut text = String::new();
        write(&value, &mut text).expect("it has a text");
        let again = read(&text).expect("it is JSON");
        assert_eq!(again, value);
        let Value::Object(entries) = &again else { panic!("{again}") };
        let Value::Array(list) = &entries[0].1 else { panic!("{again}") };
        assert!(matches!(list[1], Value::Number(zero) if zero.is_sign_negative()));
        assert!(matches!(read(r#"{"$number":"NaN"}"#), Ok(Value::Number(x)) if x.is_nan()));
        assert!(read(r#"{"a":1,"a":2}"#).expect_err("a key comes twice").contains("comes twice"));
        assert!(read(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn lists_of_numbers_keep_their_shape() {
        let data = Data::Double(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let mut text = String::new();
        write(&Value::Numbers(NumericArray { data, shape: vec![2, 3] }), &mut text).expect("it has a text");
        assert_eq!(text, "[[1.0,2.0,3.0],[4.0,5.0,6.0]]");
        assert!(write(&Value::Undefined, &mut text).is_err());
    }
}
