//! Service level objectives.

/// The objectives of a method, set by `slo(…)` on the attribute or the method.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Objectives {
    /// The ratio of RPCs that must not end with a server-fault code.
    pub(crate) availability: Option<f64>,
    pub(crate) latency: Option<Latency>,
}

/// The ratio of RPCs that must take at most `nanos` nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Latency {
    pub(crate) nanos: u64,
    pub(crate) ratio: f64,
}

impl Objectives {
    /// Returns the stricter of both, for impls that share their labels.
    pub(crate) fn and(self, other: Self) -> Self {
        let stricter = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::max);
        let latencies = self.latency.into_iter().chain(other.latency);
        let latency = latencies
            .reduce(|a, b| Latency { nanos: a.nanos.min(b.nanos), ratio: a.ratio.max(b.ratio) });
        Self { availability: stricter(self.availability, other.availability), latency }
    }

    /// No objectives.
    pub(crate) const NONE: Self = Self { availability: None, latency: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h1_where_labels_are_shared_the_stricter_objective_holds() {
        let latency = |nanos, ratio| Some(Latency { nanos, ratio });
        let a = Objectives { availability: Some(0.9), latency: latency(5, 0.9) };
        let b = Objectives { availability: Some(0.99), latency: latency(7, 0.95) };
        let both = Objectives { availability: Some(0.99), latency: latency(5, 0.95) };
        assert_eq!((a.and(b), b.and(a)), (both, both));
        assert_eq!((a.and(Objectives::NONE), Objectives::NONE.and(a)), (a, a));
    }
}
