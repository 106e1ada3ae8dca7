//! Which series a scrape shows, whatever the format.

use prometheus::proto::MetricType;
use tonic::Code;

use crate::grpc::{ALL_CODES, CODES, CodeSet, FAULT_CODES};
use crate::instance::{MethodSnapshot, Settings};

/// What the series of a family tell.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of {
    Requests,
    Errors,
    Duration,
    InFlight,
    Info,
    Messages,
    SloEvents,
    SloBadEvents,
    SloObjective,
}

/// A metric family, its name less the prefix.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: MetricType,
    /// The labels beside `service` and `method`.
    pub(crate) labels: &'static [&'static str],
    pub(crate) of: Of,
}

/// In the order of [`Of`].
pub(crate) static FAMILIES: [Family; 9] = [
    Family {
        name: "requests_total",
        help: "RPCs that ended, by gRPC status code.",
        kind: MetricType::COUNTER,
        labels: &["code"],
        of: Of::Requests,
    },
    Family {
        name: "errors_total",
        help: "RPCs that ended with an error whose cause is known, by gRPC status code and cause.",
        kind: MetricType::COUNTER,
        labels: &["code", "error"],
        of: Of::Errors,
    },
    Family {
        name: "request_duration_seconds",
        help: "Time from an RPC's start to its end; of a response stream, to the stream's end.",
        kind: MetricType::HISTOGRAM,
        labels: &[],
        of: Of::Duration,
    },
    Family {
        name: "in_flight_requests",
        help: "RPCs that have started and not ended.",
        kind: MetricType::GAUGE,
        labels: &[],
        of: Of::InFlight,
    },
    Family {
        name: "method_info",
        help: "1 for every method, with its kind: unary, client_stream, server_stream or bidi_stream.",
        kind: MetricType::GAUGE,
        labels: &["type"],
        of: Of::Info,
    },
    Family {
        name: "stream_messages_sent_total",
        help: "Messages sent by response streams.",
        kind: MetricType::COUNTER,
        labels: &[],
        of: Of::Messages,
    },
    Family {
        name: "slo_events_total",
        help: "RPCs that ended, of methods with an objective.",
        kind: MetricType::COUNTER,
        labels: &["slo"],
        of: Of::SloEvents,
    },
    Family {
        name: "slo_bad_events_total",
        help: "RPCs that ended and were not as good as the objective has them.",
        kind: MetricType::COUNTER,
        labels: &["slo"],
        of: Of::SloBadEvents,
    },
    Family {
        name: "slo_objective_ratio",
        help: "The share of RPCs that is to be good.",
        kind: MetricType::GAUGE,
        labels: &["slo"],
        of: Of::SloObjective,
    },
];

/// The value of one series.
#[derive(Debug)]
pub(crate) enum Value {
    Number(u64),
    Ratio(f64),
    Histogram {
        /// RPCs per bucket, cumulated, the unbounded bucket last.
        cumulative: Vec<u64>,
        /// In seconds.
        sum: f64,
    },
}

/// The codes as a scrape shows them.
#[derive(Debug)]
pub(crate) struct Codes {
    /// With their spelling, and in its order.
    spelled: [(Code, &'static str); CODES],
    faults: CodeSet,
}

impl Codes {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut spelled = ALL_CODES.map(|code| (code, settings.code_label.spell(code)));
        spelled.sort_by_key(|(_, label)| *label);
        // Those of the default setting stay, so that another one takes nothing away.
        Self { spelled, faults: settings.fault_codes.iter().chain(FAULT_CODES).collect() }
    }

    /// Whether the code has a series before it is first seen: success, and what means a fault of the
    /// server. `rate()` over a counter that is born at 1 misses its first increase.
    fn is_born_at_zero(&self, code: Code) -> bool {
        code == Code::Ok || self.faults.contains(code)
    }
}

/// Gives the method's series in this family to `show`, in the order of a scrape: the values of the
/// family's own labels, and the series' value.
pub(crate) fn of_method(
    of: Of,
    method: &MethodSnapshot,
    codes: &Codes,
    mut show: impl FnMut(&[&'static str], Value),
) {
    match of {
        Of::Requests => {
            for (code, label) in codes.spelled {
                let requests = method.requests(code);
                if requests > 0 || codes.is_born_at_zero(code) {
                    show(&[label], Value::Number(requests));
                }
            }
        }
        Of::Errors => {
            for (code, label) in codes.spelled {
                for (_, cause, count) in method.errors().filter(|(of, ..)| *of == code) {
                    show(&[label, cause], Value::Number(count));
                }
            }
        }
        Of::Duration => {
            let mut cumulative = method.durations();
            for i in 1..cumulative.len() {
                cumulative[i] += cumulative[i - 1];
            }
            show(&[], Value::Histogram { cumulative, sum: method.duration_sum() });
        }
        Of::InFlight => show(&[], Value::Number(method.in_flight())),
        Of::Info => show(&[method.kind().as_str()], Value::Number(1)),
        Of::Messages if method.counts_messages() => {
            show(&[], Value::Number(method.messages_sent()));
        }
        Of::Messages => {}
        Of::SloEvents | Of::SloBadEvents | Of::SloObjective => {
            for slo in method.slos() {
                let value = match of {
                    Of::SloEvents => Value::Number(slo.events),
                    Of::SloBadEvents => Value::Number(slo.bad),
                    _ => Value::Ratio(slo.objective),
                };
                show(&[slo.slo.as_str()], value);
            }
        }
    }
}
