//! Reads `/metrics` as Prometheus does: over HTTP, in the text format.

use std::{collections::BTreeMap, fmt, io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time,
};

use crate::traffic::Counts;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Counted by the callers, see `channels.rs`.
const CALLS: &str = "nova_calls_total";

/// A service and one of its methods, as the labels spell them.
pub(crate) type Rpc = (String, String);

/// The metrics of each method in one scrape.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Scrape {
    pub(crate) methods: BTreeMap<Rpc, Method>,
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
    /// The calls of this method that other services say they made.
    pub(crate) from_services: Counts,
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
        self.from_services.add(&other.from_services);
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Histogram {
    /// Upper bounds in seconds, ascending, each with its cumulative count.
    pub(crate) buckets: Vec<(f64, u64)>,
    pub(crate) count: u64,
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

/// Scrapes the processes of the system, and adds up what they say.
pub(crate) async fn scrape_all(addresses: &[SocketAddr]) -> Result<Scrape, ScrapeError> {
    let mut sum = Scrape::default();
    for address in addresses {
        for (rpc, method) in scrape(*address).await?.methods {
            sum.methods.entry(rpc).or_default().merge(method);
        }
    }
    Ok(sum)
}

async fn scrape(address: SocketAddr) -> Result<Scrape, ScrapeError> {
    let answer = time::timeout(TIMEOUT, get(address)).await;
    let answer = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return Err(ScrapeError::Http("incomplete headers".to_owned()));
    };
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(ScrapeError::Http(status.to_owned()));
    }
    parse(body)
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

fn parse(text: &str) -> Result<Scrape, ScrapeError> {
    let mut scrape = Scrape::default();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let bad = || ScrapeError::Line(line.to_owned());
        let sample = Sample::parse(line).ok_or_else(bad)?;
        if sample.name.starts_with("grpc_server_") || sample.name == CALLS {
            scrape.add(&sample).ok_or_else(bad)?;
        }
    }
    Ok(scrape)
}

impl Scrape {
    fn add(&mut self, sample: &Sample<'_>) -> Option<()> {
        let rpc = (sample.label("service")?.to_owned(), sample.label("method")?.to_owned());
        // Health checks and reflection, which the server layer sees.
        if rpc.0 == "other" {
            return Some(());
        }
        let method = self.methods.entry(rpc).or_default();
        match sample.name {
            "grpc_server_method_info" => sample.label("type")?.clone_into(&mut method.kind),
            "grpc_server_requests_total" => {
                method.codes.insert(sample.label("code")?.parse().ok()?, sample.count()?);
            }
            "grpc_server_errors_total" => {
                let code = sample.label("code")?.parse().ok()?;
                let cause = sample.label("error")?.to_owned();
                method.causes.insert((code, cause), sample.count()?);
            }
            CALLS => {
                let calls = &mut method.from_services;
                match sample.label("code")? {
                    "none" => calls.given_up.unheard = sample.count()?,
                    code => _ = calls.answered.insert(code.parse().ok()?, sample.count()?),
                }
            }
            "grpc_server_in_flight_requests" => method.in_flight = sample.value.parse().ok()?,
            "grpc_server_request_duration_seconds_bucket" => {
                let bound = match sample.label("le")? {
                    "+Inf" => f64::INFINITY,
                    bound => bound.parse().ok()?,
                };
                method.latency.buckets.push((bound, sample.count()?));
            }
            "grpc_server_request_duration_seconds_count" => {
                method.latency.count = sample.count()?;
            }
            _ => {}
        }
        Some(())
    }
}

/// `name{label="value",…} value`
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, String)>,
    value: &'a str,
}

impl<'a> Sample<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let end = line.find(['{', ' '])?;
        let (name, mut rest) = line.split_at(end);
        let mut labels = Vec::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside;
            while !rest.starts_with('}') {
                let (label, quoted) = rest.split_once("=\"")?;
                let (value, after) = unquote(quoted)?;
                labels.push((label, value));
                rest = after.strip_prefix(',').unwrap_or(after);
            }
            rest = &rest[1..];
        }
        let value = rest.split_whitespace().next()?;
        Some(Self { name, labels, value })
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| *label == name).map(|(_, value)| value.as_str())
    }

    fn count(&self) -> Option<u64> {
        self.value.parse().ok()
    }
}

/// Splits off the label value, up to its closing quote.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            char => value.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::GivenUp;

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
nova_calls_total{code="0",method="Get",service="a.B"} 2
nova_calls_total{code="none",method="Get",service="a.B"} 1
something_else{path="a\"}\\b"} 1e5 1700000000
without_labels 7
"#;
        let expected = Method {
            kind: "unary".to_owned(),
            codes: BTreeMap::from([(0, 3), (13, 1)]),
            causes: BTreeMap::from([((13, "database".to_owned()), 1)]),
            in_flight: 2,
            latency: Histogram { buckets: vec![(0.005, 3), (f64::INFINITY, 4)], count: 4 },
            from_services: Counts {
                answered: BTreeMap::from([(0, 2)]),
                given_up: GivenUp { reached: 0, unheard: 1 },
            },
        };
        let methods = parse(page).unwrap().methods;
        assert_eq!(methods, BTreeMap::from([(("a.B".to_owned(), "Get".to_owned()), expected)]));
    }

    #[test]
    fn what_is_no_sample_is_an_error() {
        for line in [
            "name",
            "name{",
            "name{a=\"b",
            "name{a=\"b\"}",
            "grpc_server_requests_total{method=\"Get\",service=\"a.B\"} 1",
            "grpc_server_requests_total{code=\"x\",method=\"Get\",service=\"a.B\"} 1",
            "grpc_server_errors_total{code=\"13\",method=\"Get\",service=\"a.B\"} 1",
        ] {
            assert!(matches!(parse(line), Err(ScrapeError::Line(_))), "{line}");
        }
    }
}
