//! The label of the program's choice: from a request's metadata to a value.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::cells::Counts;
use crate::grpc::header;

/// A value of the label, as an instance numbers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelValue(pub(super) u16);

impl LabelValue {
    /// The value of requests without one, and of all requests without a label.
    pub(crate) const NONE: Self = Self(0);
    /// The value of all requests whose value has no place of its own.
    const OTHER: Self = Self(1);
    /// The first value with a place of its own.
    const FIRST: u16 = 2;

    fn index(self) -> usize {
        self.0.into()
    }
}

/// What [`LabelValue::OTHER`] is called. A client that sends this shares its series.
const OTHER: &str = "other";

/// The most values that a program can ask for.
pub(crate) const MOST_VALUES: usize = 1_000;

/// The longest value with a place of its own, in bytes.
const MAX_LEN: usize = 128;

/// The values that an instance has seen: the first ones, up to a number that the program chooses.
///
/// Clients choose the values, so their number and their length are bounded, and they can't know which ones collide.
/// Lookups take no lock. A value's first lookup takes one and allocates, unless all places are taken.
#[derive(Debug)]
pub(crate) struct LabelValues {
    /// The metadata that has the value.
    key: HeaderName,
    /// A hash table with open addressing. At most half of its slots are taken, and a taken one stays as it is.
    slots: Box<[OnceLock<Known>]>,
    hasher: RandomState,
    most: usize,
    /// The number of taken slots. Locked to take one.
    taken: Mutex<usize>,
    is_full: AtomicBool,
}

#[derive(Debug)]
struct Known {
    text: Arc<str>,
    value: LabelValue,
}

impl LabelValues {
    /// `most` is the number of values with a place of their own, at most [`MOST_VALUES`].
    pub(crate) fn new(key: HeaderName, most: usize) -> Self {
        let most = most.min(MOST_VALUES);
        let slots = (2 * most).next_power_of_two();
        Self {
            key,
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            hasher: RandomState::new(),
            most,
            taken: Mutex::new(0),
            is_full: AtomicBool::new(most == 0),
        }
    }

    /// Returns the number of all values: the places, none and other.
    pub(super) fn count(&self) -> usize {
        self.most + usize::from(LabelValue::FIRST)
    }

    /// Returns the value in a request's headers.
    #[inline(never)]
    pub(super) fn of(&self, headers: &HeaderMap) -> LabelValue {
        match header(headers, &self.key).map(text) {
            None | Some(Some("")) => LabelValue::NONE,
            Some(None | Some(OTHER)) => LabelValue::OTHER,
            Some(Some(text)) => self.find(text),
        }
    }

    fn find(&self, text: &str) -> LabelValue {
        // Acquire: pairs with the release in `insert`. Loaded before the slots, so that all of them are seen if it is
        // full, and a value that is not found has no place.
        let is_full = self.is_full.load(Ordering::Acquire);
        match self.slot(text).and_then(OnceLock::get) {
            Some(known) => known.value,
            None if is_full => LabelValue::OTHER,
            None => self.insert(text),
        }
    }

    #[cold]
    fn insert(&self, text: &str) -> LabelValue {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        // Again: another thread may have been first.
        let Some(slot) = self.slot(text) else { return LabelValue::OTHER };
        if let Some(known) = slot.get() {
            return known.value;
        }
        let next = u16::try_from(*taken).ok().filter(|_| *taken < self.most);
        let Some(next) = next else { return LabelValue::OTHER };
        let value = LabelValue(LabelValue::FIRST + next);
        slot.get_or_init(|| Known { text: text.into(), value });
        *taken += 1;
        if *taken == self.most {
            // Release: who sees this sees all slots.
            self.is_full.store(true, Ordering::Release);
        }
        value
    }

    /// Returns the slot that has this value, or the one that is free for it.
    fn slot(&self, text: &str) -> Option<&OnceLock<Known>> {
        let mask = self.slots.len() - 1;
        #[allow(clippy::cast_possible_truncation)] // the low bits are as good as the others
        let hash = self.hasher.hash_one(text) as usize;
        let probes = (0..self.slots.len()).map(|i| &self.slots[hash.wrapping_add(i) & mask]);
        let mut found = probes.filter(|slot| slot.get().is_none_or(|known| &*known.text == text));
        found.next()
    }

    /// Returns the texts of all values that have been seen.
    pub(crate) fn texts(&self) -> LabelTexts {
        let mut texts: Vec<Arc<str>> = vec![Arc::default(); self.count()];
        texts[LabelValue::OTHER.index()] = OTHER.into();
        for known in self.slots.iter().filter_map(OnceLock::get) {
            texts[known.value.index()] = Arc::clone(&known.text);
        }
        LabelTexts(texts.into())
    }
}

/// Returns the text of a header, without the whitespace around it; `None` if it is too long or not visible ASCII.
fn text(value: &HeaderValue) -> Option<&str> {
    let value = value.as_bytes().trim_ascii();
    let is_visible = value.len() <= MAX_LEN && value.iter().all(|byte| matches!(byte, b' '..=b'~'));
    std::str::from_utf8(value).ok().filter(|_| is_visible)
}

/// The texts of an instance's values.
#[derive(Clone, Debug, Default)]
pub(crate) struct LabelTexts(Arc<[Arc<str>]>);

impl LabelTexts {
    /// Returns the text of a value that was seen before these texts were read; empty if there is no label.
    fn get(&self, value: LabelValue) -> &str {
        self.0.get(value.index()).map_or("", |text| text)
    }
}

/// The counts of a method by value, sorted by the values' texts once these are set.
#[derive(Clone, Debug)]
pub(crate) struct ByValue {
    counts: Box<[(LabelValue, Counts)]>,
    texts: LabelTexts,
}

impl ByValue {
    /// `counts` are by the numbers of values.
    pub(super) fn new(counts: Box<[(u16, Counts)]>) -> Self {
        let counts = counts.into_iter().map(|(value, counts)| (LabelValue(value), counts));
        Self { counts: counts.collect(), texts: LabelTexts::default() }
    }

    /// Sets the texts, which were read after the counts.
    pub(crate) fn set_texts(&mut self, texts: &LabelTexts) {
        self.texts = texts.clone();
        self.counts.sort_by_key(|(value, _)| texts.get(*value));
    }

    /// Returns each value that the method has seen, with its text and counts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (LabelValue, &str, &Counts)> {
        self.counts.iter().map(|(value, counts)| (*value, self.texts.get(*value), counts))
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;

    const KEY: HeaderName = HeaderName::from_static("x-client");

    fn headers(value: &[u8]) -> HeaderMap {
        HeaderMap::from_iter([(KEY, HeaderValue::from_bytes(value).expect("a header's value"))])
    }

    fn texts(values: &LabelValues, sent: &[&[u8]]) -> Vec<String> {
        let found: Vec<_> = sent.iter().map(|value| values.of(&headers(value))).collect();
        let texts = values.texts();
        found.into_iter().map(|value| texts.get(value).to_owned()).collect()
    }

    #[test]
    fn m4_the_first_values_have_places_and_later_ones_are_other() {
        let values = LabelValues::new(KEY, 2);
        assert_eq!(values.of(&HeaderMap::new()), LabelValue::NONE);
        let sent: [&[u8]; 7] = [b"b", b"", b"other", b"a", b"c", b"b", b"a"];
        assert_eq!(texts(&values, &sent), ["b", "", "other", "a", "other", "b", "a"]);
    }

    #[test]
    fn m4_only_short_visible_text_has_a_place() {
        let values = LabelValues::new(KEY, 10);
        let (longest, too_long) = ([b'l'; MAX_LEN], [b'l'; MAX_LEN + 1]);
        let sent: [&[u8]; 7] =
            [&longest, &too_long, b"a\tb", "ü".as_bytes(), b"\xff", b" a \"b\" ", b" "];
        let longest = "l".repeat(MAX_LEN);
        let expected = [&*longest, "other", "other", "other", "other", "a \"b\"", ""];
        assert_eq!(texts(&values, &sent), expected);
    }

    #[test]
    fn m4_threads_that_see_new_values_at_once_agree_and_take_no_more_places() {
        for most in [1, 2, 7, 64, MOST_VALUES] {
            let values = LabelValues::new(KEY, most);
            let sent: Vec<_> = (0..2 * most).map(|i| headers(i.to_string().as_bytes())).collect();
            // Each thread begins elsewhere, and so has first sights of its own.
            let see = |thread: usize| {
                let mut seen: Vec<_> = sent.iter().enumerate().collect();
                seen.rotate_left(thread * most / 4);
                let mut seen: Vec<_> =
                    seen.into_iter().map(|(i, headers)| (i, values.of(headers))).collect();
                seen.sort_by_key(|(i, _)| *i);
                seen.into_iter().map(|(_, value)| value).collect::<Vec<_>>()
            };
            let see = &see;
            let seen: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|i| scope.spawn(move || see(i))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let own = |value: &&LabelValue| **value != LabelValue::OTHER;
            let distinct: BTreeSet<_> =
                seen[0].iter().filter(own).map(|value| value.index()).collect();
            assert_eq!(distinct.len(), most);
            assert_eq!(seen[0].iter().filter(own).count(), most, "no two have one place");
            assert!(seen.windows(2).all(|two| two[0] == two[1]), "{seen:?}");
        }
    }
}
