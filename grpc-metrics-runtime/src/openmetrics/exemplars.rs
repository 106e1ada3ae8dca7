//! Exemplars on the lines of buckets.
//!
//! `prometheus-client` writes only exemplars of values that its own histogram has observed: there is no other
//! way to make one. So these are put at the ends of its lines.

use std::fmt::{self, Write};
use std::time::UNIX_EPOCH;

use super::families::{Part, Shown};
use crate::exemplar::Exemplar;
use crate::gathered::Gathered;
use crate::series::Of;
use crate::snapshot::MethodSnapshot;

/// Lines of HELP and TYPE.
const HEAD: usize = 2;
/// Lines of a histogram before its buckets: sum and count.
const BEFORE_BUCKETS: usize = 2;

/// What the encoder writes, with something at the ends of the first lines.
pub(super) struct Lines<'a> {
    text: &'a mut String,
    ends: std::vec::IntoIter<String>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a mut String, gathered: &Gathered, shown: &Shown) -> Self {
        Self { text, ends: line_by_line(gathered, shown).into_iter() }
    }
}

impl Write for Lines<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The encoder ends its lines so; those in labels are escaped.
        if text == "\n"
            && let Some(end) = self.ends.next()
        {
            self.text.push_str(&end);
        }
        self.text.push_str(text);
        Ok(())
    }
}

/// What goes to the ends of this family's lines: exemplars, or nothing.
fn line_by_line(gathered: &Gathered, shown: &Shown) -> Vec<String> {
    let [(family, Part::All)] = shown.parts[..] else { return Vec::new() };
    let ours = gathered.family(family).map_or(Vec::new(), |(_, ours)| ours);
    let durations = ours.iter().filter(|ours| matches!(ours.of.of, Of::Duration));
    let methods: Vec<_> = durations.flat_map(|ours| ours.snapshot.methods()).collect();
    if methods.iter().all(|method| method.exemplars().iter().all(Option::is_none)) {
        return Vec::new();
    }
    let mut ends = vec![String::new(); HEAD];
    for method in methods {
        ends.extend([const { String::new() }; BEFORE_BUCKETS]);
        ends.extend(of_buckets(method));
    }
    ends
}

fn of_buckets(method: &MethodSnapshot) -> impl Iterator<Item = String> {
    let exemplars = method.exemplars().iter().copied().chain(std::iter::repeat(None));
    let buckets = method.durations().into_iter().zip(exemplars);
    // An RPC may have ended after the counts were read. In an empty bucket that would show.
    let counted = buckets.map(|(count, exemplar)| exemplar.filter(|_| count > 0));
    counted.map(|exemplar| exemplar.as_ref().map_or_else(String::new, end))
}

fn end(exemplar: &Exemplar) -> String {
    let Exemplar { trace_id, span_id, duration, ended } = exemplar;
    let mut end =
        format!(" # {{trace_id=\"{trace_id:032x}\",span_id=\"{span_id:016x}\"}} {duration}");
    // A clock that stands before 1970 has no time that is worth showing, and the format can do without.
    if let Ok(since) = ended.duration_since(UNIX_EPOCH) {
        let _ = write!(end, " {}", since.as_secs_f64());
    }
    end
}
