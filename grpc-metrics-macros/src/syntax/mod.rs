//! Parsing and generating tokens, for the attribute and the derive.

pub(crate) mod arguments;
pub(crate) mod names;
pub(crate) mod tokens;
