//! Series and answers in other namings, for tests that make them up in the default one. Nothing here is from the table
//! that the dashboard is rendered from.

use std::fmt::Write as _;

use grpc_metrics_runtime::Naming;
use support::codes::NAMES;

/// The metrics that each naming defines, by their default names.
const GO_GRPC_PROMETHEUS: &[(&str, &str)] = &[
    ("grpc_server_requests_total", "grpc_server_handled_total"),
    ("grpc_server_request_duration_seconds", "grpc_server_handling_seconds"),
    ("grpc_server_stream_messages_sent_total", "grpc_server_msg_sent_total"),
    ("grpc_server_stream_messages_received_total", "grpc_server_msg_received_total"),
    ("grpc_client_requests_total", "grpc_client_handled_total"),
    ("grpc_client_request_duration_seconds", "grpc_client_handling_seconds"),
    ("grpc_client_stream_messages_sent_total", "grpc_client_msg_sent_total"),
    ("grpc_client_stream_messages_received_total", "grpc_client_msg_received_total"),
];
const OPEN_TELEMETRY: &[(&str, &str)] = &[
    ("grpc_server_requests_total", "rpc_server_call_duration_seconds_count"),
    ("grpc_server_request_duration_seconds", "rpc_server_call_duration_seconds"),
    ("grpc_client_requests_total", "rpc_client_call_duration_seconds_count"),
    ("grpc_client_request_duration_seconds", "rpc_client_call_duration_seconds"),
];
const GRPC_A66: &[(&str, &str)] = &[
    ("grpc_server_requests_total", "grpc_server_call_duration_seconds_count"),
    ("grpc_server_request_duration_seconds", "grpc_server_call_duration_seconds"),
    ("grpc_server_request_size_bytes", "grpc_server_call_rcvd_total_compressed_message_size_bytes"),
    (
        "grpc_server_response_size_bytes",
        "grpc_server_call_sent_total_compressed_message_size_bytes",
    ),
    ("grpc_client_requests_total", "grpc_client_attempt_duration_seconds_count"),
    ("grpc_client_request_duration_seconds", "grpc_client_attempt_duration_seconds"),
];

/// A naming as far as the dashboard sees it.
pub(crate) struct Names {
    pub(crate) naming: Naming,
    metrics: &'static [(&'static str, &'static str)],
    /// What the names of the others start with.
    prefix: &'static str,
    labels: &'static [(&'static str, &'static str)],
    /// The method of other paths, if methods have their full names.
    other: Option<&'static str>,
}

pub(crate) const DEFAULT: Names =
    Names { naming: Naming::Default, metrics: &[], prefix: "grpc_", labels: &[], other: None };

pub(crate) const OTHERS: [Names; 3] = [
    Names {
        naming: Naming::GoGrpcPrometheus,
        metrics: GO_GRPC_PROMETHEUS,
        labels: &[
            ("service", "grpc_service"),
            ("method", "grpc_method"),
            ("code", "grpc_code"),
            ("type", "grpc_type"),
        ],
        ..DEFAULT
    },
    Names {
        naming: Naming::OpenTelemetry,
        metrics: OPEN_TELEMETRY,
        prefix: "rpc_",
        labels: &[
            ("service", "rpc_service"),
            ("method", "rpc_method"),
            ("code", "rpc_response_status_code"),
        ],
        other: Some("_OTHER"),
    },
    Names {
        naming: Naming::GrpcA66,
        metrics: GRPC_A66,
        labels: &[
            ("service", "grpc_service"),
            ("method", "grpc_method"),
            ("code", "grpc_status"),
            ("target", "grpc_target"),
        ],
        other: Some("other"),
        ..DEFAULT
    },
];

impl Names {
    /// Returns a series of the default naming as this one has it.
    pub(crate) fn series(&self, name: &str, labels: &str) -> String {
        let defined = self.metrics.iter().find_map(|(default, ours)| {
            let part = name.strip_prefix(default)?;
            Some(format!("{ours}{part}"))
        });
        let is_alone = defined.is_some() && self.other.is_some();
        let labels = pairs(labels);
        let mut ours = self.labels(&labels, is_alone);
        // These namings' histograms are by code.
        if is_alone && name.contains("_duration_seconds") {
            ours.push((self.label("code").to_owned(), "OK".to_owned()));
        }
        let name = defined.unwrap_or_else(|| name.replacen("grpc_", self.prefix, 1));
        format!("{name}{}", text(&ours))
    }

    /// Returns the labels of an answer of the default naming as this one has them.
    pub(crate) fn answer(&self, labels: &str) -> String {
        // The topology names what it joins by its own fields.
        let labels = pairs(labels.trim_matches(['{', '}']));
        let of_topology = ["id", "title", "source", "target"];
        let (joined, labels): (Vec<_>, Vec<_>) =
            labels.into_iter().partition(|(label, _)| of_topology.contains(label));
        let joined = joined.into_iter().map(|(label, value)| {
            let value = if value == "other" { self.other.unwrap_or(value) } else { value };
            (label.to_owned(), value.to_owned())
        });
        text(&joined.chain(self.labels(&labels, false)).collect::<Vec<_>>())
    }

    fn label<'a>(&self, default: &'a str) -> &'a str {
        let found = self.labels.iter().find(|(label, _)| *label == default);
        found.map_or(default, |(_, ours)| ours)
    }

    /// `is_alone` is a full method without a service beside it.
    fn labels(&self, labels: &[(&str, &str)], is_alone: bool) -> Vec<(String, String)> {
        let service = labels.iter().find(|(label, _)| *label == "service");
        let mut ours = Vec::new();
        for (label, value) in labels {
            let value = match (*label, self.other, service) {
                ("service", Some(_), _) if is_alone => continue,
                ("service" | "method", Some(other), _) if *value == "other" => other.to_owned(),
                ("method", Some(_), Some((_, service))) => format!("{service}/{value}"),
                ("code", ..) => self.code(value),
                _ => (*value).to_owned(),
            };
            ours.push((self.label(label).to_owned(), value));
        }
        ours
    }

    fn code(&self, number: &str) -> String {
        let name = || NAMES[number.parse::<usize>().unwrap()];
        match self.naming {
            Naming::Default => number.to_owned(),
            Naming::GoGrpcPrometheus => match name() {
                "OK" => "OK".to_owned(),
                "CANCELLED" => "Canceled".to_owned(),
                name => name
                    .split('_')
                    .map(|word| word[..1].to_owned() + &word[1..].to_lowercase())
                    .collect(),
            },
            _ => name().to_owned(),
        }
    }
}

/// Reads `label="value"`, with commas between.
fn pairs(labels: &str) -> Vec<(&str, &str)> {
    let pairs = labels.split(',').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (label, value) = pair.trim().split_once('=').expect(pair);
        (label, value.trim_matches('"'))
    });
    pairs.collect()
}

fn text(labels: &[(String, String)]) -> String {
    let mut text = String::from("{");
    for (label, value) in labels {
        let comma = if text.len() > 1 { ", " } else { "" };
        write!(text, "{comma}{label}=\"{value}\"").unwrap();
    }
    text + "}"
}
