//! The tokens of queries, as far as names need them.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    /// The name of a metric, label, function or operator; a number or a duration.
    Word,
    /// A string with its quotes.
    Quoted,
    /// Any other character.
    Sign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

impl<'a> Token<'a> {
    pub(super) fn is(self, text: &str) -> bool {
        self.text == text
    }

    /// Returns a string without its quotes.
    pub(super) fn unquoted(&self) -> Option<&'a str> {
        let inside = self.text.strip_prefix('"')?;
        Some(inside.strip_suffix('"').unwrap_or(inside))
    }
}

/// Splits a query. The tokens' texts make up the query again.
pub(super) fn tokens(query: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "_:.".contains(c);
        let (kind, end) = if first.is_whitespace() {
            (Kind::Space, rest.find(|c: char| !c.is_whitespace()))
        } else if is_word(first) {
            (Kind::Word, rest.find(|c| !is_word(c)))
        } else if first == '"' {
            (Kind::Quoted, end_of_string(rest))
        } else {
            (Kind::Sign, Some(first.len_utf8()))
        };
        let (text, after) = rest.split_at(end.unwrap_or(rest.len()));
        tokens.push(Token { kind, text });
        rest = after;
    }
    tokens
}

/// Returns where the string ends that `text` starts with.
fn end_of_string(text: &str) -> Option<usize> {
    let mut is_escaped = true; // the opening quote ends nothing
    for (at, c) in text.char_indices() {
        match c {
            '"' if !is_escaped => return Some(at + 1),
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_its_tokens() {
        let query =
            r#"sum by (a) (rate(x:y{b=~"$b|\"}", c!="ö"}[$__rate_interval])) / 1e-15 >= "\\""#;
        let tokens = tokens(query);
        assert_eq!(tokens.iter().map(|token| token.text).collect::<String>(), query);
        for (kind, text) in [
            (Kind::Word, "x:y"),
            (Kind::Quoted, r#""$b|\"}""#),
            (Kind::Quoted, "\"ö\""),
            (Kind::Word, "__rate_interval"),
            (Kind::Word, "1e"),
            (Kind::Quoted, r#""\\""#),
        ] {
            assert!(tokens.contains(&Token { kind, text }), "{text}");
        }
        assert_eq!(tokens[0].unquoted(), None);
        assert_eq!(tokens.last().unwrap().unquoted(), Some(r"\\"));
    }

    #[test]
    fn what_does_not_end_is_a_token_too() {
        for query in ["\"", "a{b=\"c", "\"\\", ""] {
            assert_eq!(tokens(query).iter().map(|token| token.text).collect::<String>(), query);
        }
    }
}
