//! Reads `/metrics` as Prometheus does: over HTTP, in the text format.

use std::{collections::BTreeMap, fmt, io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time,
};

use crate::{
    calls::Calls,
    naming::{Metric, Names, OTHER},
    sample::Sample,
};

const TIMEOUT: Duration = Duration::from_secs(5);

/// A service and one of its methods, as the labels spell them.
pub(crate) type Rpc = (String, String);

/// The metrics in one scrape, by method.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Scrape {
    pub(crate) methods: BTreeMap<Rpc, Method>,
    /// The calls of methods that services have called.
    pub(crate) calls: BTreeMap<Rpc, Calls>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Method {
    /// `unary`, `client_stream`, `server_stream` or `bidi_stream`.
    pub(crate) kind: String,
    /// Finished RPCs by code.
    pub(crate) codes: BTreeMap<u8, u64>,
    /// Failed RPCs with a known cause, by code and cause.
    pub(crate) causes: BTreeMap<(u8, String), u64>,
    pub(crate) in_flight: i64,
    pub(crate) latency: Histogram,
}

impl Method {
    pub(crate) fn total(&self) -> u64 {
        self.codes.values().sum()
    }

    fn merge(&mut self, other: Self) {
        if !other.kind.is_empty() {
            self.kind = other.kind;
        }
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        for (cause, count) in other.causes {
            *self.causes.entry(cause).or_default() += count;
        }
        self.in_flight += other.in_flight;
        self.latency.add(&other.latency);
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Histogram {
    /// Upper bounds in seconds, ascending, each with its cumulative count.
    pub(crate) buckets: Vec<(f64, u64)>,
    pub(crate) count: u64,
}

impl Histogram {
    /// Adds to a bucket. There are several of one bound if durations are by code.
    fn add_bucket(&mut self, bound: f64, count: u64) {
        match self.buckets.iter_mut().find(|(known, _)| known.total_cmp(&bound).is_eq()) {
            Some((_, sum)) => *sum += count,
            None => self.buckets.push((bound, count)),
        }
    }
}

#[derive(Debug)]
pub(crate) enum ScrapeError {
    Io(io::Error),
    /// Anything but 200 with a body.
    Http(String),
    /// A line that is not a sample, or one of our samples without its labels.
    Line(String),
}

impl fmt::Display for ScrapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "scrape: {error}"),
            Self::Http(what) => write!(f, "scrape: {what}"),
            Self::Line(line) => write!(f, "scrape: cannot read {line:?}"),
        }
    }
}

impl From<io::Error> for ScrapeError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The pages of the system's processes.
#[derive(Debug, Clone)]
pub(crate) struct Pages {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) names: Names,
}

impl Pages {
    /// Scrapes them, and adds up what they say.
    pub(crate) async fn scrape(&self) -> Result<Scrape, ScrapeError> {
        let mut sum = Scrape::default();
        for address in &self.addresses {
            let one = scrape(*address, &self.names).await?;
            for (rpc, method) in one.methods {
                sum.methods.entry(rpc).or_default().merge(method);
            }
            for (rpc, calls) in one.calls {
                sum.calls.entry(rpc).or_default().merge(calls);
            }
        }
        Ok(sum)
    }
}

async fn scrape(address: SocketAddr, names: &Names) -> Result<Scrape, ScrapeError> {
    let answer = time::timeout(TIMEOUT, get(address)).await;
    let answer = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return Err(ScrapeError::Http("incomplete headers".to_owned()));
    };
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(ScrapeError::Http(status.to_owned()));
    }
    parse(body, names)
}

async fn get(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    // HTTP/1.0 has no chunked encoding: the body ends with the connection.
    let request = format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn parse(text: &str, names: &Names) -> Result<Scrape, ScrapeError> {
    let mut scrape = Scrape::default();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let bad = || ScrapeError::Line(line.to_owned());
        let sample = Sample::parse(line).ok_or_else(bad)?;
        if let Some(metric) = names.metric(sample.name) {
            scrape.add(metric, &sample, names).ok_or_else(bad)?;
        }
    }
    Ok(scrape)
}

impl Scrape {
    fn add(&mut self, metric: Metric, sample: &Sample<'_>, names: &Names) -> Option<()> {
        let rpc = names.rpc(sample)?;
        if rpc.0 == OTHER {
            return Some(());
        }
        if matches!(metric, Metric::Calls | Metric::Edges) {
            return self.add_calls(rpc, metric, sample, names);
        }
        let method = self.methods.entry(rpc).or_default();
        match metric {
            Metric::MethodInfo => names.kind(sample)?.clone_into(&mut method.kind),
            Metric::Requests => {
                method.codes.insert(names.code(sample)?, sample.count()?);
            }
            Metric::Errors => {
                let cause = sample.label("error")?.to_owned();
                method.causes.insert((names.code(sample)?, cause), sample.count()?);
            }
            Metric::InFlight => method.in_flight = sample.value.parse().ok()?,
            Metric::DurationBucket => {
                let bound = match sample.label("le")? {
                    "+Inf" => f64::INFINITY,
                    bound => bound.parse().ok()?,
                };
                method.latency.add_bucket(bound, sample.count()?);
            }
            Metric::DurationCount => {
                method.latency.count += sample.count()?;
                if names.durations_are_by_code() {
                    method.codes.insert(names.code(sample)?, sample.count()?);
                }
            }
            Metric::Calls | Metric::Edges => {}
        }
        Some(())
    }

    /// Adds calls, unless there are none.
    fn add_calls(
        &mut self,
        rpc: Rpc,
        metric: Metric,
        sample: &Sample<'_>,
        names: &Names,
    ) -> Option<()> {
        let (code, count) = (names.code(sample)?, sample.count()?);
        let caller = match metric {
            Metric::Edges => {
                let [service, method] = ["caller_service", "caller_method"];
                Some((sample.label(service)?.to_owned(), sample.label(method)?.to_owned()))
            }
            _ => None,
        };
        if count > 0 {
            let calls = self.calls.entry(rpc).or_default();
            match caller {
                Some(caller) => calls.edges.insert((caller, code), count),
                None => calls.codes.insert(code, count),
            };
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use grpc_metrics_runtime::Naming;

    use super::*;

    #[test]
    fn a_page_becomes_methods() {
        let page = r#"
# HELP grpc_server_requests_total RPCs.
# TYPE grpc_server_requests_total counter
grpc_server_requests_total{code="0",method="Get",service="a.B"} 3
grpc_server_requests_total{code="13",method="Get",service="a.B"} 1
grpc_server_errors_total{code="13",error="database",method="Get",service="a.B"} 1
grpc_server_in_flight_requests{method="Get",service="a.B"} 2
grpc_server_method_info{method="Get",service="a.B",type="unary"} 1
grpc_server_request_duration_seconds_bucket{method="Get",service="a.B",le="0.005"} 3
grpc_server_request_duration_seconds_bucket{method="Get",service="a.B",le="+Inf"} 4
grpc_server_request_duration_seconds_sum{method="Get",service="a.B"} 0.5
grpc_server_request_duration_seconds_count{method="Get",service="a.B"} 4
grpc_server_requests_total{code="0",method="other",service="other"} 5
grpc_client_requests_total{code="0",method="Put",service="c.D"} 3
grpc_client_requests_total{code="0",method="Never",service="c.D"} 0
grpc_client_in_flight_requests{method="Put",service="c.D"} 1
grpc_client_edge_requests_total{caller_method="Get",caller_service="a.B",code="0",method="Put",service="c.D"} 2
something_else{path="a\"}\\b"} 1e5 1700000000
without_labels 7
"#;
        let expected = Method {
            kind: "unary".to_owned(),
            codes: BTreeMap::from([(0, 3), (13, 1)]),
            causes: BTreeMap::from([((13, "database".to_owned()), 1)]),
            in_flight: 2,
            latency: Histogram { buckets: vec![(0.005, 3), (f64::INFINITY, 4)], count: 4 },
        };
        let Scrape { methods, calls } = parse(page, &Names::of(Naming::Default)).unwrap();
        let rpc = |service: &str, method: &str| (service.to_owned(), method.to_owned());
        assert_eq!(methods, BTreeMap::from([(rpc("a.B", "Get"), expected)]));
        let codes = BTreeMap::from([(0, 3)]);
        let edges = BTreeMap::from([((rpc("a.B", "Get"), 0), 2)]);
        assert_eq!(calls, BTreeMap::from([(rpc("c.D", "Put"), Calls { codes, edges })]));
    }

    #[test]
    fn a_page_in_another_naming_says_the_same() {
        let page = r#"
rpc_server_call_duration_seconds_bucket{rpc_system_name="grpc",rpc_method="a.B/Get",rpc_response_status_code="OK",error_type="",le="0.005"} 3
rpc_server_call_duration_seconds_bucket{rpc_system_name="grpc",rpc_method="a.B/Get",rpc_response_status_code="OK",error_type="",le="+Inf"} 3
rpc_server_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="a.B/Get",rpc_response_status_code="OK",error_type=""} 3
rpc_server_call_duration_seconds_bucket{rpc_system_name="grpc",rpc_method="a.B/Get",rpc_response_status_code="INTERNAL",error_type="INTERNAL",le="0.005"} 0
rpc_server_call_duration_seconds_bucket{rpc_system_name="grpc",rpc_method="a.B/Get",rpc_response_status_code="INTERNAL",error_type="INTERNAL",le="+Inf"} 1
rpc_server_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="a.B/Get",rpc_response_status_code="INTERNAL",error_type="INTERNAL"} 1
rpc_server_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="_OTHER",rpc_response_status_code="OK",error_type=""} 5
rpc_server_in_flight_requests{rpc_service="a.B",rpc_method="a.B/Get"} 2
rpc_server_method_info{rpc_service="a.B",rpc_method="a.B/Get",type="unary"} 1
rpc_client_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="c.D/Put",server_address="",server_port="",rpc_response_status_code="CANCELLED",error_type="CANCELLED"} 3
"#;
        let names = Names::of(Naming::OpenTelemetry);
        let Scrape { methods, calls } = parse(page, &names).unwrap();
        let method = Method {
            kind: "unary".to_owned(),
            codes: BTreeMap::from([(0, 3), (13, 1)]),
            in_flight: 2,
            latency: Histogram { buckets: vec![(0.005, 3), (f64::INFINITY, 4)], count: 4 },
            ..Method::default()
        };
        let rpc = |service: &str, method: &str| (service.to_owned(), method.to_owned());
        assert_eq!(methods, BTreeMap::from([(rpc("a.B", "Get"), method)]));
        assert_eq!(calls[&rpc("c.D", "Put")].codes, BTreeMap::from([(1, 3)]));
    }

    #[test]
    fn what_is_no_sample_is_an_error() {
        let names = Names::of(Naming::Default);
        for line in [
            "name",
            "name{",
            "name{a=\"b",
            "name{a=\"b\"}",
            "grpc_server_requests_total{method=\"Get\",service=\"a.B\"} 1",
            "grpc_server_requests_total{code=\"x\",method=\"Get\",service=\"a.B\"} 1",
            "grpc_server_errors_total{code=\"13\",method=\"Get\",service=\"a.B\"} 1",
            "grpc_client_edge_requests_total{code=\"0\",method=\"Put\",service=\"c.D\"} 1",
        ] {
            assert!(matches!(parse(line, &names), Err(ScrapeError::Line(_))), "{line}");
        }
    }
}
