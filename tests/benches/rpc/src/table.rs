//! Medians, and lines of a table.

/// The middle one.
pub(crate) fn median(samples: impl IntoIterator<Item = f64>) -> f64 {
    quantile(&mut samples.into_iter().collect::<Vec<_>>(), 0.5)
}

/// The sample below which this share of all lie; of no samples, none.
pub(crate) fn quantile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rank = (samples.len() as f64 * share) as usize;
    samples.get(rank).copied().unwrap_or(f64::NAN)
}
