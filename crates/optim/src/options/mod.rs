//! Option tables: types, values, checks. Public, since [`options!`](crate::options!) names what is inside; other crates
//! import from the root.

pub(crate) mod macros;
pub mod option_type;
pub(crate) mod rule_options;
pub mod table;
pub mod value;
