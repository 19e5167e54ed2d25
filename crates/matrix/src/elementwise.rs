//! Arithmetic on rows of elements in f32.

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// a + b
    Add,
    /// a - b
    Subtract,
    /// a b
    Multiply,
    /// a / b
    Divide,
}

/// Sets `out` to the results of operands, each with the distance of its elements: 0 repeats the first one. Without effect on
/// elements for which an operand has none.
// As in `multiply`: compiled for speed, whatever the caller is compiled for.
#[inline(never)]
pub fn calculate(arithmetic: Arithmetic, out: &mut [f32], a: (&[f32], usize), b: (&[f32], usize)) {
    match arithmetic {
        Arithmetic::Add => each(out, a, b, |a, b| a + b),
        Arithmetic::Subtract => each(out, a, b, |a, b| a - b),
        Arithmetic::Multiply => each(out, a, b, |a, b| a * b),
        Arithmetic::Divide => each(out, a, b, |a, b| a / b),
    }
}

#[inline(always)]
fn each(out: &mut [f32], (a, sa): (&[f32], usize), (b, sb): (&[f32], usize), f: impl Fn(f32, f32) -> f32) {
    match (sa, sb, a, b) {
        (1, 1, ..) => out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = f(*a, *b)),
        (1, 0, _, [b, ..]) => out.iter_mut().zip(a).for_each(|(out, a)| *out = f(*a, *b)),
        (0, 1, [a, ..], _) => out.iter_mut().zip(b).for_each(|(out, b)| *out = f(*a, *b)),
        _ => {
            for (i, out) in out.iter_mut().enumerate() {
                if let (Some(a), Some(b)) = (a.get(i * sa), b.get(i * sb)) {
                    *out = f(*a, *b);
                }
            }
        }
    }
}
