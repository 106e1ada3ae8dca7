//! Queries in the names of an instance. The templates are written in the default naming; this replaces its names.

mod files;
mod matchers;
#[cfg(test)]
mod tests;
mod tokens;

use self::tokens::{Kind, Token, tokens};
use crate::export::{FamilyId, Schema};
use crate::instance::Settings;

/// The words before a list of labels.
const LIST_WORDS: [&str; 6] = ["by", "on", "without", "ignoring", "group_left", "group_right"];

/// The parts of a histogram.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// The names in place of the default ones.
#[derive(Clone, Debug)]
pub(super) struct Vocabulary {
    /// By default name.
    families: Vec<(String, FamilyName)>,
    /// By default name.
    labels: Vec<(String, String)>,
    full_method: Option<FullMethod>,
}

/// A family's name in queries. That of a counter may be a part of a histogram, `…_count`.
#[derive(Clone, Debug)]
struct FamilyName {
    name: String,
    /// Whether its series have the label of the service. The others have that of the method alone.
    has_service: bool,
}

/// Methods have their full names, `service/method`. Families may lack the label of the service then.
#[derive(Clone, Debug)]
struct FullMethod {
    /// The service, and the method, of paths that the program does not know.
    other: String,
}

/// A metric's name, and the matchers after it.
struct Selector {
    /// The last token.
    end: usize,
    text: String,
    has_service: bool,
}

impl Vocabulary {
    pub(super) fn new(schema: &Schema) -> Self {
        let default = Schema::new(&Settings::default());
        let service = schema.label("service");
        let families = default.families().iter().map(|family| {
            let (side, id) = (family.side(), family.id());
            // Without a counter of requests, the count of durations is asked.
            let known = schema.find(side, id).or_else(|| schema.find(side, FamilyId::Duration));
            let has_service = known
                .is_some_and(|family| family.method_labels().iter().any(|label| label == service));
            let name = schema.name_in_queries(side, id);
            (family.name.clone(), FamilyName { name, has_service })
        });
        let labels = default.label_names().into_iter();
        let labels = labels.map(|label| (label.to_owned(), schema.label(label).to_owned()));
        let other = schema.other_as_full_method();
        Self {
            families: families.collect(),
            labels: labels.collect(),
            full_method: other.map(|other| FullMethod { other: other.to_owned() }),
        }
    }

    /// Returns a label's name.
    pub(super) fn label<'a>(&'a self, default: &'a str) -> &'a str {
        self.renamed(default).unwrap_or(default)
    }

    fn renamed(&self, default: &str) -> Option<&str> {
        let mut labels = self.labels.iter();
        labels.find(|(name, _)| *name == default).map(|(_, name)| name.as_str())
    }

    /// Returns a metric's name: that of a family or of a histogram's part.
    fn family(&self, default: &str) -> Option<(String, bool)> {
        let find = |default: &str| {
            let mut families = self.families.iter();
            families.find(|(name, _)| name == default).map(|(_, family)| family)
        };
        let part = || {
            PARTS.iter().find_map(|part| {
                let family = find(default.strip_suffix(part)?)?;
                Some((format!("{}{part}", family.name), family.has_service))
            })
        };
        find(default).map(|family| (family.name.clone(), family.has_service)).or_else(part)
    }

    /// Translates a text for readers: names of families, and the quoted name of other paths.
    fn prose(&self, text: &str) -> String {
        let other = self.full_method.as_ref().map(|full| format!("\"{}\"", full.other));
        let word = |token: Token<'_>| match token.kind {
            Kind::Word => self.family(token.text).map(|(name, _)| name),
            _ => other.clone().filter(|_| token.is("\"other\"")),
        };
        let words = tokens(text).into_iter();
        words.map(|token| word(token).unwrap_or_else(|| token.text.to_owned())).collect()
    }

    /// Translates a text with labels in it, `{{service}}` or `{{ $labels.service }}`. A full method needs no service
    /// before it.
    fn legend(&self, text: &str) -> String {
        let method = |text: &str, service, method| match self.full_method {
            Some(_) => text.replace(&format!("{service}{method}"), method),
            None => text.to_owned(),
        };
        let text = method(text, "{{service}} ", "{{method}}");
        let text = method(&text, "{{ $labels.service }}/", "{{ $labels.method }}");
        let mut parts = text.split("{{");
        let head = parts.next().unwrap_or_default().to_owned();
        parts.fold(head, |text, part| {
            let (inside, rest) = part.split_once("}}").unwrap_or((part, ""));
            let name = inside.trim().trim_start_matches("$labels.");
            let renamed = inside.replace(name, self.label(name));
            let end = if inside.len() < part.len() { "}}" } else { "" };
            text + "{{" + &renamed + end + rest
        })
    }

    /// Translates a selector that is no part of a query, such as the series of a test.
    fn selector(&self, text: &str) -> String {
        self.translate(text, false)
    }

    /// Translates a query. If the full method is the only label of a series, its service becomes a label wherever the
    /// query may use it.
    fn query(&self, text: &str) -> String {
        self.translate(text, true)
    }

    fn translate(&self, query: &str, with_service: bool) -> String {
        let tokens = tokens(query);
        let groups = Groups::of(&tokens);
        let mut texts: Vec<_> = tokens.iter().map(|token| token.text.to_owned()).collect();
        let mut at = 0;
        while at < tokens.len() {
            let token = tokens[at];
            let next = next_of(&tokens, at);
            let opens_list = next.is_some_and(|next| tokens[next].is("("));
            if LIST_WORDS.contains(&token.text) && opens_list {
                let end = next.and_then(|open| groups.close(open)).unwrap_or(at);
                for (text, token) in texts.iter_mut().zip(&tokens).take(end).skip(at + 1) {
                    self.label(token.text).clone_into(text);
                }
                at = end;
            } else if let Some(selector) = self.selector_at(&tokens, &groups, at) {
                texts[at..=selector.end].fill(String::new());
                texts[at] = selector.text;
                if with_service && !selector.has_service && self.full_method.is_some() {
                    self.add_service(&mut texts, &tokens, &groups, at, selector.end);
                }
                at = selector.end;
            } else if let Some(label) = argument(token).and_then(|label| self.renamed(label)) {
                texts[at] = format!("\"{label}\"");
            }
            at += 1;
        }
        texts.concat()
    }

    /// Returns the selector that starts at a token.
    fn selector_at(&self, tokens: &[Token<'_>], groups: &Groups, at: usize) -> Option<Selector> {
        let token = tokens[at];
        let is_word = token.kind == Kind::Word;
        let next = next_of(tokens, at).filter(|_| is_word);
        let open = if token.is("{") { Some(at) } else { next.filter(|next| tokens[*next].is("{")) };
        let braces = open.and_then(|open| Some((open, groups.close(open)?)));
        let is_function = next.is_some_and(|next| tokens[next].is("("));
        let family = if is_word && !is_function { self.family(token.text) } else { None };
        if braces.is_none() && family.is_none() {
            return None;
        }
        let own = if is_word { token.text.to_owned() } else { String::new() };
        let (name, has_service) = family.unwrap_or((own, true));
        let Some((open, end)) = braces else {
            return Some(Selector { end: at, text: name, has_service });
        };
        let inside = self.matchers(&tokens[open + 1..end], has_service);
        let text = format!("{name}{{{inside}}}");
        Some(Selector { end, text, has_service })
    }

    /// Gives the series of a selector the label of their service. Functions of ranges drop the name, so it is added
    /// around them.
    fn add_service(
        &self,
        texts: &mut [String],
        tokens: &[Token<'_>],
        groups: &Groups,
        start: usize,
        end: usize,
    ) {
        let is_range = next_of(tokens, end).is_some_and(|next| tokens[next].is("["));
        let call = groups.around(start).filter(|_| is_range);
        let call = call.and_then(|open| Some((previous_of(tokens, open)?, groups.close(open)?)));
        let (start, end) = call.unwrap_or((start, end));
        if is_dropped(tokens, groups, start, end) {
            return;
        }
        let [service, method] = ["service", "method"].map(|label| self.label(label));
        texts[start].insert_str(0, "label_replace(");
        let arguments = format!(r#", "{service}", "$1", "{method}", "([^/]+)(/.+)?")"#);
        texts[end] += &arguments;
    }
}

/// Returns the label that a string outside of matchers names: an argument of `label_join` or `label_replace`. "target" is
/// a field of the dashboard's topology.
fn argument(token: Token<'_>) -> Option<&str> {
    token.unquoted().filter(|label| *label != "target")
}

/// Returns whether an aggregation of these tokens alone drops the service.
fn is_dropped(tokens: &[Token<'_>], groups: &Groups, start: usize, end: usize) -> bool {
    let open = previous_of(tokens, start).filter(|open| tokens[*open].is("("));
    let close = next_of(tokens, end).filter(|close| tokens[*close].is(")"));
    let (Some(open), Some(close)) = (open, close) else { return false };
    let Some(before) = previous_of(tokens, open) else { return false };
    let is_list_behind = next_of(tokens, close).is_some_and(|word| tokens[word].is("by"));
    if tokens[before].is(")") {
        let list = groups.open(before);
        let is_by = |list| previous_of(tokens, list).is_some_and(|word| tokens[word].is("by"));
        let list = list.filter(|list| is_by(*list));
        list.is_some_and(|list| tokens[list..before].iter().all(|token| !token.is("service")))
    } else {
        !is_list_behind
            && ["sum", "min", "max", "avg", "count", "group"].contains(&tokens[before].text)
    }
}

fn next_of(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    (at + 1..tokens.len()).find(|next| tokens[*next].kind != Kind::Space)
}

fn previous_of(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    (0..at).rev().find(|previous| tokens[*previous].kind != Kind::Space)
}

/// The pairs of brackets.
struct Groups(Vec<(usize, usize)>);

impl Groups {
    fn of(tokens: &[Token<'_>]) -> Self {
        let mut open = Vec::new();
        let mut pairs = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token.text {
                "(" | "{" | "[" => open.push(at),
                ")" | "}" | "]" => pairs.extend(open.pop().map(|open| (open, at))),
                _ => {}
            }
        }
        Self(pairs)
    }

    fn close(&self, open: usize) -> Option<usize> {
        self.0.iter().find(|pair| pair.0 == open).map(|pair| pair.1)
    }

    fn open(&self, close: usize) -> Option<usize> {
        self.0.iter().find(|pair| pair.1 == close).map(|pair| pair.0)
    }

    /// Returns where the innermost pair around a token opens.
    fn around(&self, at: usize) -> Option<usize> {
        let around = self.0.iter().filter(|(open, close)| *open < at && at < *close);
        around.map(|(open, _)| *open).max()
    }
}

/// The tokens of a query.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn query_tokens(query: &str) -> Vec<&str> {
    tokens(query).into_iter().map(|token| token.text).collect()
}

#[cfg(fuzzing)]
impl Vocabulary {
    /// Translates a text in each way.
    pub(super) fn translated(&self, text: &str) -> Vec<String> {
        let parts = [self.query(text), self.selector(text), self.legend(text), self.prose(text)];
        let files = [self.dashboard(text), self.rules(text), self.alertmanager(text)];
        parts.into_iter().chain(files).collect()
    }
}
