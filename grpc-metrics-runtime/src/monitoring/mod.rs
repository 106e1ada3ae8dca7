//! Rules, alerts and configuration for the metrics of a [`GrpcMetrics`], as text to write to files.

mod rules;
mod template;

use crate::GrpcMetrics;

/// See [`GrpcMetrics::monitoring`].
#[derive(Clone, Debug)]
pub struct Monitoring {
    prefix: String,
}

impl GrpcMetrics {
    /// What watches these metrics: Prometheus's rules and more, for the prefix that is set.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use grpc_metrics_runtime::GrpcMetrics;
    ///
    /// let monitoring = GrpcMetrics::builder().prefix("shop_grpc").build()?.monitoring();
    /// # let directory = std::env::temp_dir();
    /// std::fs::write(directory.join("rules.yml"), monitoring.rules())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The prefix that a registry adds by itself is not known here.
    pub fn monitoring(&self) -> Monitoring {
        Monitoring { prefix: self.prefix().to_owned() }
    }
}

impl Monitoring {
    /// Recording rules and alerts for Prometheus. They read the objectives from the metrics, so they stay
    /// as they are when an objective changes.
    pub fn rules(&self) -> String {
        rules::rules(&self.prefix)
    }

    /// Tests of the rules for `promtool test rules`, which look for them in `rules.yml` beside them.
    pub fn rule_tests(&self) -> String {
        rules::rule_tests(&self.prefix)
    }
}
