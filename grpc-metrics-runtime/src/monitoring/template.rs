//! Templates: text with `@name@` in place of a value.

/// Fills a template. Values are not scanned, so they may contain `@`.
///
/// # Panics
///
/// Panics if the template names a value that is not given. A test of each template covers that.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, from)) = rest.split_once('@') {
        let (name, after) = from.split_once('@').expect("every @ in a template has a matching @");
        let value = values.iter().find(|(known, _)| *known == name);
        let (_, value) = value.unwrap_or_else(|| panic!("no value for @{name}@"));
        filled += before;
        filled += value;
        rest = after;
    }
    filled + rest
}

/// Returns the text as a quoted YAML string.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
