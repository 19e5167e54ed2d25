//! Option tables: types, values, checks.

pub(crate) mod option_type;
pub(crate) mod table;
