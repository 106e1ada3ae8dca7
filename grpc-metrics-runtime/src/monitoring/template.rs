//! Templates: text with `@name@` where a value goes.

/// The template with these values put in. A value may hold what it likes: it is not looked at again.
///
/// # Panics
///
/// If the template names a value that is not given, which a test of each template finds.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, from)) = rest.split_once('@') {
        let (name, after) = from.split_once('@').expect("an @ in a template has its other @");
        let value = values.iter().find(|(of, _)| *of == name);
        let (_, value) = value.unwrap_or_else(|| panic!("no value for @{name}@"));
        filled += before;
        filled += value;
        rest = after;
    }
    filled + rest
}

/// A string of YAML, whatever is in it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
