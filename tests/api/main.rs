//! Lists the public items in a crate's rustdoc JSON, one a line. See `.ci/api`.

use std::error::Error;

/// Auto traits that no stable program can name, and what stands for private fields.
const LEFT_OUT: [&str; 3] =
    ["core::marker::Freeze for ", "core::marker::UnsafeUnpin for ", "pin_project_lite::__private"];

fn main() -> Result<(), Box<dyn Error>> {
    let json = std::env::args().nth(1).ok_or("usage: api RUSTDOC.json")?;
    // Blanket impls are those of other crates. Auto traits are a promise: a handler needs `Send`.
    let api = public_api::Builder::from_rustdoc_json(json).omit_blanket_impls(true).build()?;
    for item in api.items().map(ToString::to_string) {
        if !LEFT_OUT.iter().any(|name| item.contains(name)) {
            println!("{item}");
        }
    }
    Ok(())
}
