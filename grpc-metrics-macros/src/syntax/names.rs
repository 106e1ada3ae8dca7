//! Converts between Rust names and proto names, and finds the nearest name for a typo.

/// The case of the RPC names in a proto file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Style {
    /// `GetThing`, as in the protobuf style guide.
    #[default]
    UpperCamel,
    /// `getThing`.
    LowerCamel,
    /// `get_thing`.
    Snake,
}

impl Style {
    /// Returns the case of these names. Returns the default if they differ or there are none.
    pub(crate) fn of(rpcs: impl Iterator<Item = String>) -> Self {
        let styles = rpcs.map(|rpc| match rpc.chars().next() {
            Some(first) if !first.is_lowercase() => (Self::UpperCamel, false),
            _ if rpc.contains('_') => (Self::Snake, false),
            _ => (Self::LowerCamel, !rpc.contains(char::is_uppercase)),
        });
        // A single lowercase word fits both.
        let common = styles.reduce(|(one, one_is_word), (other, other_is_word)| {
            if one == other {
                return (one, one_is_word && other_is_word);
            }
            let is_snake =
                (one == Self::Snake && other_is_word) || (other == Self::Snake && one_is_word);
            (if is_snake { Self::Snake } else { Self::default() }, false)
        });
        common.map(|(style, _)| style).unwrap_or_default()
    }

    /// Returns the proto name of the RPC whose Rust name is `method`.
    pub(crate) fn rpc(self, method: &str) -> String {
        match self {
            Self::UpperCamel => upper_camel(method),
            Self::LowerCamel => {
                let name = upper_camel(method);
                let mut letters = name.chars();
                letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
            }
            Self::Snake => method.to_owned(),
        }
    }
}

fn upper_camel(method: &str) -> String {
    let words = method.split('_');
    words
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            first.chain(letters).collect::<Vec<_>>()
        })
        .collect()
}

/// Returns the Rust name that tonic gives an RPC: `get_url` for `GetURL`, `get_p2p` for `GetP2P`. tonic uses `heck`.
///
/// A word starts at a capital after a lowercase letter, and at the last of several capitals if a lowercase letter
/// follows. A character without case counts as the letter before it.
pub(crate) fn snake(rpc: &str) -> String {
    #[cfg(test)]
    SNAKED.set(SNAKED.get() + 1);
    let words = rpc.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(snake_word).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
thread_local! {
    /// How many names this thread has converted.
    pub(crate) static SNAKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

fn snake_word(word: &str) -> String {
    let letters: Vec<char> = word.chars().collect();
    let mut name = String::new();
    let (mut after_small, mut after_capital) = (false, false);
    for (i, letter) in letters.iter().enumerate() {
        let before_small = letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || (after_capital && before_small)) {
            name.push('_');
        }
        if letter.is_uppercase() || letter.is_lowercase() {
            (after_small, after_capital) = (letter.is_lowercase(), letter.is_uppercase());
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Returns the name of `known` that is nearest to `given`, if it is near enough for a typo.
pub(crate) fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let by_distance = known.iter().map(|name| (distance(given, name), *name));
    by_distance
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .map(|(_, name)| name)
}

/// Returns the Levenshtein distance of `a` and `b`.
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
            ("get_v2", "GetV2"),
            ("get_kv", "GetKv"),
            ("list", "List"),
            ("_ping", "Ping"),
        ] {
            assert_eq!(Style::UpperCamel.rpc(rust), rpc);
        }
    }

    #[test]
    fn rpc_names_in_the_style_of_their_siblings() {
        for (siblings, style, rpc) in [
            (&[][..], Style::UpperCamel, "GetThing"),
            (&["WatchThing"], Style::UpperCamel, "GetThing"),
            (&["watchThing"], Style::LowerCamel, "getThing"),
            (&["watch"], Style::LowerCamel, "getThing"),
            (&["watch_thing"], Style::Snake, "get_thing"),
            (&["watch", "watch_thing"], Style::Snake, "get_thing"),
            (&["watchThing", "ListThings"], Style::UpperCamel, "GetThing"),
            (&["watch_thing", "List"], Style::UpperCamel, "GetThing"),
            (&["watch", "watchThing"], Style::LowerCamel, "getThing"),
            (&["watchThing", "list_things"], Style::UpperCamel, "GetThing"),
            (&["watchThing", "list_things", "watchThings"], Style::UpperCamel, "GetThing"),
            (&["list_things", "watch", "watchThing"], Style::UpperCamel, "GetThing"),
        ] {
            let of_siblings = Style::of(siblings.iter().map(|name| (*name).to_owned()));
            assert_eq!(of_siblings, style, "{siblings:?}");
            assert_eq!(style.rpc("get_thing"), rpc);
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
            ("FetchX509SVID", "fetch_x509svid"),
            ("GetP2P", "get_p2p"),
            ("K8SPods", "k8s_pods"),
            ("ListV2Items", "list_v2_items"),
            ("V2List", "v2_list"),
            ("v2List", "v2_list"),
            ("Get1x1", "get1x1"),
            ("Sha256Sum", "sha256_sum"),
            ("SHA256Sum", "sha256_sum"),
            ("Get__Thing_", "get_thing"),
            ("3DModel", "3d_model"),
        ] {
            assert_eq!(snake(rpc), rust);
        }
    }

    #[test]
    fn a_typo_is_recognised_and_another_word_is_not() {
        let known = ["service", "metrics", "streams", "crate"];
        for (given, meant) in [
            ("servce", Some("service")),
            ("stream", Some("streams")),
            ("matrics", Some("metrics")),
            ("sservice", Some("service")),
            ("Service", Some("service")),
            // A third of the letters may differ, rounded up.
            ("sxxxice", Some("service")),
            ("sxxxxce", None),
            ("cr", None),
            ("buckets", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, &known), meant, "{given}");
        }
    }
}
