//! How long something takes. Not in `support`, whose services would be in what a bench scrapes.

use std::time::Instant;

/// The median of so many runs, in milliseconds.
pub(crate) fn median_millis(runs: usize, work: impl Fn()) -> f64 {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}
