//! Lists in messages.

/// The texts with a separator between them. Unlike `join`, it has no variants for the lengths of separators, so it is shorter.
pub fn joined<T: AsRef<str>>(texts: &[T], separator: &str) -> String {
    let mut all = String::new();
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            all.push_str(separator);
        }
        all.push_str(text.as_ref());
    }
    all
}
