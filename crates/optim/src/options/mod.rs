//! Option tables: types, values and checks.
//!
//! Public only because [`options!`](crate::options!) names the items; other crates import from the root.

pub(crate) mod macros;
pub mod option_type;
pub(crate) mod rule_options;
pub mod table;
pub mod value;
