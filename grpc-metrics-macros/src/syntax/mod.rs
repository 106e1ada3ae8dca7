//! Parsing and generating tokens, for the attributes and the derive.

pub(crate) mod arguments;
pub(crate) mod items;
pub(crate) mod names;
pub(crate) mod tokens;
