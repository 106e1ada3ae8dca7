//! Rates and latencies over the last seconds' scrapes, computed as in a dashboard.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use crate::scrape::{Histogram, Method, Rpc, Scrape};

/// The window of rates and percentiles.
const SPAN: Duration = Duration::from_secs(10);

/// The scrapes of the last seconds, and the first one.
pub(crate) struct Window {
    scrapes: VecDeque<(Instant, Scrape)>,
}

/// One method's numbers.
pub(crate) struct Row<'a> {
    pub(crate) rpc: &'a Rpc,
    pub(crate) now: &'a Method,
    pub(crate) rate: f64,
    pub(crate) recent: Histogram,
}

impl Window {
    pub(crate) fn new() -> Self {
        Self { scrapes: VecDeque::new() }
    }

    pub(crate) fn push(&mut self, at: Instant, scrape: Scrape) {
        self.scrapes.push_back((at, scrape));
        while self.scrapes.len() > 2 && at.duration_since(self.scrapes[1].0) >= SPAN {
            self.scrapes.pop_front();
        }
    }

    pub(crate) fn rows(&self) -> Vec<Row<'_>> {
        let (Some((start, before)), Some((end, now))) = (self.scrapes.front(), self.scrapes.back())
        else {
            return Vec::new();
        };
        let seconds = end.duration_since(*start).as_secs_f64();
        let rows = now.methods.iter().map(|(rpc, now)| {
            let before = before.methods.get(rpc);
            let finished = now.total() - before.map_or(0, Method::total).min(now.total());
            let rate = if seconds > 0.0 { float(finished) / seconds } else { 0.0 };
            let recent = match before {
                Some(before) => now.latency.since(&before.latency),
                None => now.latency.clone(),
            };
            Row { rpc, now, rate, recent }
        });
        rows.collect()
    }

    /// RPCs by code since the previous scrape.
    pub(crate) fn news(&self) -> BTreeMap<u8, u64> {
        let mut scrapes = self.scrapes.iter().rev().map(|(_, scrape)| codes(scrape));
        let mut news = scrapes.next().unwrap_or_default();
        for (code, count) in scrapes.next().unwrap_or_default() {
            news.entry(code).and_modify(|new| *new = new.saturating_sub(count));
        }
        news.retain(|_, count| *count > 0);
        news
    }
}

fn codes(scrape: &Scrape) -> BTreeMap<u8, u64> {
    let mut codes = BTreeMap::new();
    for (code, count) in scrape.methods.values().flat_map(|method| &method.codes) {
        *codes.entry(*code).or_default() += count;
    }
    codes
}

impl Histogram {
    /// Returns the observations since `earlier`, a reading of the same histogram.
    fn since(&self, earlier: &Self) -> Self {
        let earlier_counts =
            earlier.buckets.iter().map(|(_, count)| *count).chain(std::iter::repeat(0));
        let buckets = self.buckets.iter().zip(earlier_counts);
        Self {
            buckets: buckets
                .map(|(&(bound, now), then)| (bound, now.saturating_sub(then)))
                .collect(),
            count: self.count.saturating_sub(earlier.count),
        }
    }

    /// Adds a histogram with the same bounds.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.buckets.is_empty() {
            self.clone_from(other);
            return;
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            mine.1 += theirs.1;
        }
        self.count += other.count;
    }

    /// Returns a quantile in seconds, like `histogram_quantile`: interpolated within a bucket, and at most the
    /// largest finite bound. `None` without observations.
    pub(crate) fn quantile(&self, q: f64) -> Option<f64> {
        let rank = q * float(self.count);
        let at = self.buckets.iter().position(|(_, count)| *count > 0 && float(*count) >= rank)?;
        let (lower, below) = at.checked_sub(1).map_or((0.0, 0), |before| self.buckets[before]);
        let (upper, count) = self.buckets[at];
        if upper.is_infinite() {
            return Some(lower);
        }
        Some(lower + (upper - lower) * (rank - float(below)) / float(count - below))
    }
}

#[allow(clippy::cast_precision_loss, reason = "nobody sees the 16th digit of a rate")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(counts: [u64; 3]) -> Histogram {
        let bounds = [0.1, 0.2, f64::INFINITY];
        let mut sum = 0;
        let buckets = bounds.into_iter().zip(counts).map(|(bound, count)| {
            sum += count;
            (bound, sum)
        });
        Histogram { buckets: buckets.collect(), count: counts.iter().sum() }
    }

    fn close(left: Option<f64>, right: f64) -> bool {
        left.is_some_and(|left| (left - right).abs() < 1e-9)
    }

    #[test]
    fn quantiles_are_those_of_prometheus() {
        assert_eq!(histogram([0, 0, 0]).quantile(0.5), None);
        assert!(close(histogram([10, 0, 0]).quantile(0.5), 0.05));
        assert!(close(histogram([10, 10, 0]).quantile(0.95), 0.19));
        assert!(close(histogram([0, 10, 0]).quantile(0.5), 0.15));
        assert!(close(histogram([0, 0, 10]).quantile(0.5), 0.2));
    }

    #[test]
    fn a_window_forgets_what_is_old() {
        let rpc = ("a.B".to_owned(), "Get".to_owned());
        let start = Instant::now();
        let mut window = Window::new();
        for second in 0..=30 {
            let mut method = Method { latency: histogram([second, 0, 0]), ..Method::default() };
            method.codes.insert(0, 2 * second);
            let methods = BTreeMap::from([(rpc.clone(), method)]);
            window
                .push(start + Duration::from_secs(second), Scrape { methods, ..Scrape::default() });
        }
        let rows = window.rows();
        assert!((rows[0].rate - 2.0).abs() < 1e-9);
        assert_eq!(rows[0].recent.count, 10);
        assert_eq!(window.news(), BTreeMap::from([(0, 2)]));
    }
}
