//! The tokens of a kernel as CUDA C++.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::error::{Code, Error, Result};
use crate::numeric::kernel::KernelSource;

/// The functions that a body may call. The prelude has them, with equal results.
const FUNCTIONS: [&str; 4] = ["sqrt", "larger", "with_term", "nesterov_update"];

/// The statements of a body, with the names that its values have at the end.
struct Body {
    statements: String,
    /// The C++ name of each Rust name.
    names: HashMap<String, String>,
}

/// The name of a kernel as a class: the optimizer and the kernel.
pub(super) fn class_name(kernel: &KernelSource) -> String {
    let mut parts = kernel.path.rsplit("::");
    let (name, optimizer) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{optimizer}_{name}")
}

/// A class template over the scalar type: constants as members, and `run`, which updates one element. `constructor`
/// declares the arguments of the constructor; `initial` returns the initial value of each constant.
pub(super) fn class(
    kernel: &KernelSource,
    buffers: &[usize],
    constructor: &str,
    initial: &dyn Fn(usize, &str) -> String,
) -> Result<String> {
    let name = class_name(kernel);
    let Body { statements, names } = translate(kernel)?;
    let current = |rust: &str| names.get(rust).cloned().ok_or_else(|| unsupported(kernel, rust));

    let mut text = format!("template <class T> struct {name} {{\n");
    let _ = writeln!(text, "    static constexpr int STATES = {};", kernel.states.len());
    let indices = buffers
        .iter()
        .enumerate()
        .fold(String::from("0"), |rest, (state, buffer)| format!("state == {state} ? {buffer} : ({rest})"));
    let unused = if buffers.is_empty() { "" } else { " state" };
    let _ = writeln!(text, "    static METHOD constexpr int buffer(int{unused}) {{ return {indices}; }}");
    for constant in kernel.constants {
        let _ = writeln!(text, "    T c_{constant};");
    }
    let members = kernel.constants.iter().enumerate().map(|(index, constant)| {
        let value = initial(index, constant);
        format!("c_{constant}(static_cast<T>({value}))")
    });
    let members = members.collect::<Vec<_>>().join(", ");
    let _ = writeln!(text, "    explicit METHOD {name}({constructor}) : {members} {{}}");
    let _ = writeln!(text, "    METHOD void run(T& parameter, T gradient, T* states, T& output) const {{");
    let _ = writeln!(text, "        T {} = parameter;", initial_name(kernel.parameter));
    let _ = writeln!(text, "        const T {} = gradient;", initial_name(kernel.gradient));
    for (index, state) in kernel.states.iter().enumerate() {
        let _ = writeln!(text, "        T {} = states[{index}];", initial_name(state));
    }
    // A kernel may leave a value unused.
    let _ = writeln!(text, "        (void){}, (void)states;", initial_name(kernel.gradient));
    text.push_str(&statements);
    for (index, state) in kernel.states.iter().enumerate() {
        let _ = writeln!(text, "        states[{index}] = {};", current(state)?);
    }
    match kernel.output {
        Some(output) => {
            let _ = writeln!(text, "        output = {};", current(output)?);
        }
        None => {
            let _ = writeln!(text, "        parameter = {};", current(kernel.parameter)?);
            text.push_str("        output = T(0);\n");
        }
    }
    text.push_str("    }\n};\n");
    Ok(text)
}

/// The C++ name of an element as the body finds it.
fn initial_name(rust: &str) -> String {
    format!("{rust}_0")
}

/// Translates a body. `let` declares a new value, which later statements find under its name in Rust. So a name with a
/// number stands for each value in C++, where a declaration that refers to the shadowed name would refer to itself.
fn translate(kernel: &KernelSource) -> Result<Body> {
    let elements = [kernel.parameter, kernel.gradient].into_iter().chain(kernel.states.iter().copied());
    let mut names: HashMap<String, String> = elements.map(|rust| (rust.to_owned(), initial_name(rust))).collect();
    names.extend(kernel.constants.iter().map(|constant| ((*constant).to_owned(), format!("c_{constant}"))));
    let mut statements = String::new();
    let tokens = tokens(kernel.body).ok_or_else(|| unsupported(kernel, kernel.body))?;
    let mut rest = tokens.as_slice();
    let mut declared = 0;
    while !rest.is_empty() {
        let Some(end) = rest.iter().position(|token| *token == ";") else {
            return Err(unsupported(kernel, &rest.join(" ")));
        };
        let (statement, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        match statement {
            ["let", name, "=", value @ ..] if is_name(name) => {
                let value = expression(kernel, &names, value)?;
                declared += 1;
                let new = format!("{name}_{declared}");
                let _ = writeln!(statements, "        const T {new} = {value};");
                names.insert((*name).to_owned(), new);
            }
            [name, "=", value @ ..] if is_name(name) => {
                let value = expression(kernel, &names, value)?;
                let target = names.get(*name).ok_or_else(|| unsupported(kernel, name))?;
                let _ = writeln!(statements, "        {target} = {value};");
            }
            _ => return Err(unsupported(kernel, &statement.join(" "))),
        }
    }
    Ok(Body { statements, names })
}

/// Translates an expression of names, calls and the four operators, which have equal precedence in both languages.
fn expression(kernel: &KernelSource, names: &HashMap<String, String>, tokens: &[&str]) -> Result<String> {
    let mut words = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let calls = tokens.get(index + 1) == Some(&"(");
        words.push(match *token {
            "(" | ")" | "," | "+" | "-" | "*" | "/" => (*token).to_owned(),
            function if calls && FUNCTIONS.contains(&function) => function.to_owned(),
            name if !calls => names.get(name).cloned().ok_or_else(|| unsupported(kernel, name))?,
            other => return Err(unsupported(kernel, other)),
        });
    }
    Ok(words.join(" "))
}

/// The tokens of a body; `None` if there is another character than in names and the operators.
fn tokens(body: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    let mut rest = body.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = match first {
            c if is_word(c) => rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()),
            '(' | ')' | ',' | '+' | '-' | '*' | '/' | '=' | ';' => 1,
            _ => return None,
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

fn is_name(token: &str) -> bool {
    token != "let" && token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn unsupported(kernel: &KernelSource, text: &str) -> Error {
    Error::new(Code::Internal, format!("{}: expected a body that CUDA C++ can express, given {text}", kernel.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(body: &'static str) -> KernelSource {
        KernelSource {
            path: "optim::sgd::plain",
            parameter: "p",
            gradient: "g",
            states: &["max"],
            constants: &["lr"],
            output: None,
            body,
        }
    }

    fn statements(body: &'static str) -> String {
        translate(&kernel(body)).unwrap().statements.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_shadowed_name_refers_to_the_value_before() {
        assert_eq!(
            statements("let g = g * lr; let g = g + g; p = p - g;"),
            "const T g_1 = g_0 * c_lr; const T g_2 = g_1 + g_1; p_0 = p_0 - g_2;"
        );
    }

    #[test]
    fn a_shadowed_element_of_state_is_stored() {
        let text = class(&kernel("let max = larger(max, g); p = p - max;"), &[2], "const double* row", &|index, _| {
            format!("row[{index}]")
        });
        let text = text.unwrap();
        assert!(text.contains("states[0] = max_1;") && text.contains("p_0 = p_0 - max_1;"), "{text}");
    }

    #[test]
    fn an_element_that_is_assigned_keeps_its_name() {
        assert_eq!(statements("max = -max * (g - lr);"), "max_0 = - max_0 * ( g_0 - c_lr );");
    }

    #[test]
    fn anything_else_is_an_error() {
        for body in [
            "p = p - 2 * g;",
            "p = q;",
            "p = powf(g);",
            "p = g",
            "p += g;",
            "let mut g = g;",
            "lr(p) = g;",
            "p = p.sqrt();",
        ] {
            let error = translate(&kernel(body)).err().unwrap();
            assert_eq!(error.code(), Code::Internal, "{body}");
        }
    }
}
