//! Numbers in messages.

use std::fmt;

/// A number in a message, formatted like `f64`, without width and precision.
///
/// In WebAssembly JavaScript finds the digits, since Rust's float formatting would take a thirtieth of the module.
#[derive(Clone, Copy, PartialEq)]
pub struct Number(pub f64);

macro_rules! shown {
    ($($form:ident),*) => {
        /// The format of a number.
        #[cfg(any(test, target_family = "wasm"))]
        #[derive(Clone, Copy, PartialEq)]
        enum Form { $($form),* }

        $(impl fmt::$form for Number {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                #[cfg(target_family = "wasm")]
                return write(f, self.0, Form::$form, elsewhere::stepwell_exponential);
                #[cfg(not(target_family = "wasm"))]
                fmt::$form::fmt(&self.0, f)
            }
        })*
    };
}
shown!(Display, Debug, LowerExp);

#[cfg(target_family = "wasm")]
mod elsewhere {
    unsafe extern "Rust" {
        /// The shortest digits of a finite number >= 0 in exponential notation: `1.5e-7`, `2e+21`. Defined by the crate
        /// that binds JavaScript.
        pub(super) safe fn stepwell_exponential(x: f64) -> String;
    }
}

#[cfg(any(test, target_family = "wasm"))]
fn write(f: &mut dyn fmt::Write, x: f64, form: Form, exponential: fn(f64) -> String) -> fmt::Result {
    if x.is_nan() {
        return f.write_str("NaN");
    }
    if x.is_sign_negative() {
        f.write_str("-")?;
    }
    let x = x.abs();
    if x.is_infinite() {
        return f.write_str("inf");
    }
    let text = exponential(x);
    let (digits, exponent) = match text.bytes().position(|byte| byte == b'e') {
        Some(place) => (&text[..place], &text[place + 1..]),
        None => (&text[..], "0"),
    };
    if form == Form::LowerExp || (form == Form::Debug && x != 0.0 && !(1e-4..1e16).contains(&x)) {
        f.write_str(digits)?;
        f.write_str("e")?;
        return f.write_str(exponent.trim_start_matches('+'));
    }
    let digits = || digits.bytes().filter(|byte| *byte != b'.').map(char::from);
    let point = exponent.parse().unwrap_or(0_i32) + 1;
    if point <= 0 {
        f.write_str("0.")?;
        (point..0).try_for_each(|_| f.write_char('0'))?;
        return digits().try_for_each(|digit| f.write_char(digit));
    }
    let mut written = 0;
    for digit in digits() {
        if written == point {
            f.write_char('.')?;
        }
        f.write_char(digit)?;
        written += 1;
    }
    (written..point).try_for_each(|_| f.write_char('0'))?;
    if form == Form::Debug && written <= point { f.write_str(".0") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_module_are_written_as_rust_writes_them() {
        // In the format of JavaScript's `toExponential`.
        let exponential = |x: f64| format!("{x:e}").replace("e", "e+").replace("e+-", "e-");
        let mut numbers =
            vec![0.0, 1.0, 10.0, 0.1, 123.456, 0.9, 1e-3, 1e-4, 9.9e-5, 1e-5, 1e-7, 1e15, 1e16, 1.5e16, 1e21];
        numbers.extend([f64::MAX, f64::MIN_POSITIVE, 5e-324, f64::INFINITY, f64::NAN]);
        let mut bits = 1_u64;
        for _ in 0..10_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            numbers.extend([f64::from_bits(bits), bits as f64 / 1e15]);
        }
        for x in numbers.iter().flat_map(|x| [*x, -*x]) {
            let written = |form| {
                let mut text = String::new();
                write(&mut text, x, form, exponential).map(|()| text)
            };
            assert_eq!(written(Form::Display), Ok(format!("{x}")));
            assert_eq!(written(Form::Debug), Ok(format!("{x:?}")));
            assert_eq!(written(Form::LowerExp), Ok(format!("{x:e}")));
        }
    }
}
