//! Names: the proto's from Rust's, and the one that was meant.

/// The proto name of an RPC whose Rust name is `method`: upper camel case, `r#` stripped.
pub(crate) fn upper_camel(method: &str) -> String {
    let words = method.trim_start_matches("r#").split('_');
    words
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            first.chain(letters).collect::<Vec<_>>()
        })
        .collect()
}

/// The Rust name that tonic gives an RPC: `GetURL` becomes `get_url`, `ListV2` becomes `list_v2`.
///
/// A word begins at a capital after a small letter or digit, and at the last of several capitals if a
/// small letter follows.
pub(crate) fn snake(rpc: &str) -> String {
    let letters: Vec<char> = rpc.chars().collect();
    let mut name = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let after_small = i > 0 && !letters[i - 1].is_uppercase() && letters[i - 1] != '_';
        let before_small = i > 0
            && letters[i - 1].is_uppercase()
            && letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || before_small) {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// The one of `known` that `given` was probably meant to be.
pub(crate) fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let by_distance = known.iter().map(|name| (distance(given, name), *name));
    by_distance
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .map(|(_, name)| name)
}

/// Letters to insert, remove or replace to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for j in 0..b.len() {
            let replaced = diagonal + usize::from(letter != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rpc_names_from_rust_names() {
        for (rust, rpc) in [
            ("say_hello", "SayHello"),
            ("r#move", "Move"),
            ("get_v2", "GetV2"),
            ("get_kv", "GetKv"),
            ("list", "List"),
            ("_ping", "Ping"),
        ] {
            assert_eq!(upper_camel(rust), rpc);
        }
    }

    #[test]
    fn rust_names_as_tonic_gives_them() {
        for (rpc, rust) in [
            ("SayHello", "say_hello"),
            ("GetURL", "get_url"),
            ("GetURLById", "get_url_by_id"),
            ("ListV2", "list_v2"),
            ("HTTPGet", "http_get"),
            ("watch", "watch"),
            ("Get_Thing", "get_thing"),
            ("A", "a"),
        ] {
            assert_eq!(snake(rpc), rust);
        }
    }

    #[test]
    fn a_typo_is_recognised_and_a_stranger_is_not() {
        let known = ["service", "metrics", "streams", "crate"];
        assert_eq!(nearest("servce", &known), Some("service"));
        assert_eq!(nearest("stream", &known), Some("streams"));
        assert_eq!(nearest("buckets", &known), None);
    }
}
