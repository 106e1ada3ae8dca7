//! What reads and writes tokens, whatever they are of.

pub(crate) mod arguments;
pub(crate) mod names;
pub(crate) mod tokens;
