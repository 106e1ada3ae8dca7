//! Exemplars on the lines of buckets.
//!
//! `prometheus-client` writes only exemplars of values that its own histogram has observed: there is no other
//! way to make one. So these are put at the ends of its lines.

use std::fmt::{self, Write};
use std::time::UNIX_EPOCH;

use super::super::gathered::Gathered;
use super::super::series::Of;
use super::families::{Part, Shown};
use crate::counters::Exemplar;
use crate::instance::MethodSnapshot;

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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use prometheus::core::Desc;
    use prometheus::proto::MetricFamily;
    use prometheus::{IntGauge, Registry};
    use tonic::Code;

    use crate::Exemplar;
    use crate::catalog::MethodKey;
    use crate::export::collector::Collector;
    use crate::export::{gathered, openmetrics};
    use crate::instance::{Instance, Settings, Snapshot};

    /// A collector of ours that shows what it was given.
    struct Given(Arc<Collector>, Snapshot);

    impl prometheus::core::Collector for Given {
        fn desc(&self) -> Vec<&Desc> {
            self.0.descs()
        }

        fn collect(&self) -> Vec<MetricFamily> {
            gathered::collect(&self.0, self.1.clone())
        }
    }

    fn exemplar(ended: SystemTime) -> Exemplar {
        Exemplar { trace_id: 0xabc, span_id: 0x12, duration: 0.25, ended }
    }

    /// Three methods with one RPC each, which is in the first bucket of three. The second method has this
    /// exemplar in each.
    fn given(exemplar: Exemplar) -> Registry {
        let settings = Settings {
            buckets: vec![1e9, 2e9],
            const_labels: [("zone".to_owned(), "\n".to_owned())].into(),
            ..Settings::default()
        };
        let collector = Arc::new(Collector::new(&settings));
        let instance = Instance::new(settings);
        for method in ["A", "B", "C"] {
            let counters = instance.named(MethodKey { service: "Service", method });
            counters.start();
            counters.end(Code::Ok, 1);
        }
        let mut snapshot = instance.snapshot();
        snapshot.methods[1].reading.exemplars = vec![Some(exemplar); 3];
        let registry = Registry::new();
        registry.register(Box::new(Given(collector, snapshot))).expect("it is empty");
        registry
    }

    fn encoded(registry: &Registry) -> String {
        openmetrics::encode(registry).expect("it is OpenMetrics")
    }

    #[test]
    fn i7_an_exemplar_is_on_the_line_of_its_bucket_if_that_has_counted() {
        let ended = UNIX_EPOCH + Duration::from_millis(1_234_567_890_123);
        let text = encoded(&given(exemplar(ended)));
        let with: Vec<_> = text.lines().filter(|line| line.contains(" # ")).collect();
        let series = r#"grpc_server_request_duration_seconds_bucket{le="1000000000.0",zone="\n",service="Service",method="B"} 1"#;
        let labels = r#"{trace_id="00000000000000000000000000000abc",span_id="0000000000000012"}"#;
        assert_eq!(with, [format!("{series} # {labels} 0.25 1234567890.123")]);
    }

    #[test]
    fn i7_a_time_before_1970_is_left_out() {
        let text = encoded(&given(exemplar(UNIX_EPOCH - Duration::from_secs(1))));
        assert!(text.contains("\"} 0.25\n"), "{text}");
    }

    #[test]
    fn i7_a_histogram_that_is_unknown_has_none() {
        let registry = given(exemplar(UNIX_EPOCH));
        let clashing = IntGauge::new("grpc_server_request_duration_seconds_created", "A gauge.");
        registry.register(Box::new(clashing.expect("a legal name"))).expect("a new name");
        let text = encoded(&registry);
        let kind = "\n# TYPE grpc_server_request_duration_seconds_bucket unknown\n";
        assert!(text.contains(kind), "{text}");
        assert!(!text.contains(" # "), "{text}");
    }
}
