//! The settings: the program's, then those of OpenTelemetry's variables, then defaults.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use percent_encoding::percent_decode_str;

use super::Error;

const DISABLED: &str = "OTEL_SDK_DISABLED";
const EXPORTERS: &str = "OTEL_METRICS_EXPORTER";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
const PUSH_TIMEOUT: &str = "OTEL_METRIC_EXPORT_TIMEOUT";
const TEMPORALITY: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
const AGGREGATION: &str = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
const EXEMPLARS: &str = "OTEL_METRICS_EXEMPLAR_FILTER";

/// What OpenTelemetry knows besides `otlp`.
const OTHER_EXPORTERS: [&str; 4] = ["none", "prometheus", "console", "logging"];

/// Those of which there is one for metrics, and one for all signals.
type Pair = [&'static str; 2];
const ENDPOINT: Pair = ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const INSECURE: Pair = ["OTEL_EXPORTER_OTLP_METRICS_INSECURE", "OTEL_EXPORTER_OTLP_INSECURE"];
const HEADERS: Pair = ["OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
const TIMEOUT: Pair = ["OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const PROTOCOL: Pair = ["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const COMPRESSION: Pair =
    ["OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"];

const DEFAULT_ENDPOINT: &str = "http://localhost:4317";
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
/// Of an exporter, and of what calls it.
const DEFAULT_TIMEOUTS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
/// The longest time, which stands for no timeout: 49 days.
const FOREVER: Duration = Duration::from_millis(u32::MAX as u64);

/// The attribute of a resource that names the program.
const NAME: &str = "service.name";

/// What the program sets. It takes precedence over variables.
#[derive(Clone, Default)]
pub(super) struct Given {
    pub(super) endpoint: Option<String>,
    /// Whether there is a channel, which makes an endpoint needless.
    pub(super) has_channel: bool,
    pub(super) headers: Vec<(String, String)>,
    pub(super) timeout: Option<Duration>,
    pub(super) gzip: Option<bool>,
    pub(super) interval: Option<Duration>,
    pub(super) exemplars: Option<bool>,
    pub(super) resource: Vec<(String, String)>,
}

/// Validated settings.
#[derive(Debug)]
pub(super) struct Settings {
    /// `None` if the program has a channel.
    pub(super) endpoint: Option<Uri>,
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
    pub(super) gzip: bool,
    pub(super) interval: Duration,
    pub(super) exemplars: bool,
    pub(super) resource: Vec<(String, String)>,
    /// The variables that are ignored, and why.
    pub(super) warnings: Vec<String>,
}

impl Settings {
    /// Returns the settings, or `None` if nothing is to be pushed. `lookup` returns the value of a variable, and
    /// `program` is the name of the executable.
    pub(super) fn new(
        given: &Given,
        lookup: impl Fn(&str) -> Option<String>,
        program: Option<&str>,
    ) -> Result<Option<Self>, Error> {
        let mut variables = Variables { lookup, warnings: Vec::new() };
        if variables.boolean(DISABLED) || variables.is_deselected() {
            return Ok(None);
        }
        variables.reject_unsupported()?;
        variables.warn_of_aggregation();
        let endpoint = if given.has_channel {
            None
        } else {
            Some(variables.endpoint(given.endpoint.as_deref())?)
        };
        let headers = variables.headers(&given.headers)?;
        let gzip = match given.gzip {
            Some(gzip) => gzip,
            None => variables.gzip()?,
        };
        let interval = given.interval.or_else(|| variables.interval()).unwrap_or(DEFAULT_INTERVAL);
        if interval.is_zero() {
            return Err(Error::NoInterval);
        }
        Ok(Some(Self {
            endpoint,
            headers,
            timeout: or_forever(given.timeout.unwrap_or_else(|| variables.timeout())),
            gzip,
            interval: interval.min(FOREVER),
            exemplars: given.exemplars.unwrap_or_else(|| variables.exemplars()),
            resource: variables.resource(&given.resource, program),
            warnings: variables.warnings,
        }))
    }
}

struct Variables<L> {
    lookup: L,
    warnings: Vec<String>,
}

impl<L: Fn(&str) -> Option<String>> Variables<L> {
    /// Returns the value of a variable. An empty one is as if it was not set.
    fn get(&self, variable: &str) -> Option<String> {
        let value = (self.lookup)(variable)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Returns the value of the variable for metrics, else of that for all signals.
    fn first(&self, pair: Pair) -> Option<(&'static str, String)> {
        pair.into_iter().find_map(|variable| Some((variable, self.get(variable)?)))
    }

    fn ignore(&mut self, variable: &str, value: &str, reason: &str) {
        self.warnings.push(format!("{variable}={value} is ignored, since it {reason}"));
    }

    fn boolean(&mut self, variable: &'static str) -> bool {
        match self.get(variable) {
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) if !value.eq_ignore_ascii_case("false") => {
                self.ignore(variable, &value, "is neither true nor false");
                false
            }
            _ => false,
        }
    }

    /// Returns whether exporters of metrics are set, and OTLP is not among them. Unknown ones are as if they were not
    /// set.
    fn is_deselected(&mut self) -> bool {
        let Some(list) = self.get(EXPORTERS) else { return false };
        let all = || list.split(',').map(str::trim);
        let is_one_of =
            |one: &str, known: &[&str]| known.iter().any(|known| one.eq_ignore_ascii_case(known));
        if all().any(|one| is_one_of(one, &["otlp"])) {
            return false;
        }
        let is_set = all().any(|one| is_one_of(one, &OTHER_EXPORTERS));
        if !is_set {
            self.ignore(EXPORTERS, &list, "names no exporter of OpenTelemetry");
        }
        is_set
    }

    /// Rejects what changes the data or its way, and would get lost silently if it was ignored.
    fn reject_unsupported(&self) -> Result<(), Error> {
        let is_grpc = |value: &String| value.eq_ignore_ascii_case("grpc");
        if let Some((variable, value)) = self.first(PROTOCOL).filter(|(_, value)| !is_grpc(value)) {
            return Err(Error::UnsupportedProtocol { variable, value });
        }
        let is_cumulative = |value: &String| value.eq_ignore_ascii_case("cumulative");
        if let Some(value) = self.get(TEMPORALITY).filter(|value| !is_cumulative(value)) {
            return Err(Error::UnsupportedTemporality { variable: TEMPORALITY, value });
        }
        Ok(())
    }

    /// It is a preference: other buckets have the same counts.
    fn warn_of_aggregation(&mut self) {
        let set = self.get(AGGREGATION);
        if let Some(value) =
            set.filter(|value| !value.eq_ignore_ascii_case("explicit_bucket_histogram"))
        {
            self.ignore(AGGREGATION, &value, "is not explicit_bucket_histogram");
        }
    }

    fn endpoint(&mut self, given: Option<&str>) -> Result<Uri, Error> {
        let set = || self.first(ENDPOINT).map(|(_, value)| value);
        let endpoint = given.map(str::to_owned).or_else(set);
        let mut endpoint = endpoint.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        // Without a scheme, another variable says whether it is secure.
        if !endpoint.contains("://") {
            let insecure = INSECURE.into_iter().find(|variable| self.get(variable).is_some());
            if !insecure.is_some_and(|variable| self.boolean(variable)) {
                return Err(Error::NeedsTls { endpoint });
            }
            endpoint.insert_str(0, "http://");
        }
        match endpoint.parse::<Uri>() {
            Ok(uri) if uri.host().is_none_or(str::is_empty) => {
                Err(Error::InvalidEndpoint { endpoint })
            }
            Ok(uri) if uri.scheme_str() == Some("http") => Ok(uri),
            Ok(uri) if uri.scheme_str() == Some("https") => Err(Error::NeedsTls { endpoint }),
            _ => Err(Error::InvalidEndpoint { endpoint }),
        }
    }

    fn headers(&self, given: &[(String, String)]) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        let set = self.first(HEADERS).map(|(_, value)| value).unwrap_or_default();
        let set = set.split(',').map(str::trim).filter(|pair| !pair.is_empty()).map(|pair| {
            let invalid = |reason| Error::InvalidHeader { name: name_of(pair), reason };
            let (name, value) = pair.split_once('=').ok_or_else(|| invalid("has no value"))?;
            let value = percent_decode_str(value.trim()).decode_utf8();
            let value = value.map_err(|_| invalid("has a value that is not UTF-8"))?;
            Ok((name.trim().to_owned(), value.into_owned()))
        });
        for pair in set.chain(given.iter().cloned().map(Ok)) {
            let (name, value) = pair?;
            let key = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_str(&value);
            match (key, value) {
                (Ok(key), Ok(mut value)) => {
                    // Such as a key of the collector's.
                    value.set_sensitive(true);
                    headers.insert(key, value);
                }
                (Err(_), _) => {
                    return Err(Error::InvalidHeader { name, reason: "is not a valid name" });
                }
                (_, Err(_)) => {
                    let reason = "has a value that no header can have";
                    return Err(Error::InvalidHeader { name, reason });
                }
            }
        }
        Ok(headers)
    }

    fn gzip(&self) -> Result<bool, Error> {
        match self.first(COMPRESSION) {
            None => Ok(false),
            Some((_, value)) if value.eq_ignore_ascii_case("gzip") => Ok(true),
            Some((_, value)) if value.eq_ignore_ascii_case("none") => Ok(false),
            Some((variable, value)) => Err(Error::UnsupportedCompression { variable, value }),
        }
    }

    fn interval(&mut self) -> Option<Duration> {
        let interval = self.millis(INTERVAL)?;
        if interval.is_zero() {
            self.ignore(INTERVAL, "0", "is no interval");
            return None;
        }
        Some(interval)
    }

    /// Returns the shorter one of the timeouts of an exporter, and of what calls it.
    fn timeout(&mut self) -> Duration {
        let of_signals = TIMEOUT.into_iter().find(|variable| self.get(variable).is_some());
        let set =
            [of_signals.and_then(|variable| self.millis(variable)), self.millis(PUSH_TIMEOUT)];
        let timeouts = set.into_iter().zip(DEFAULT_TIMEOUTS);
        let timeouts = timeouts.map(|(set, default)| set.unwrap_or(default));
        timeouts.map(or_forever).min().unwrap_or(FOREVER)
    }

    fn millis(&mut self, variable: &'static str) -> Option<Duration> {
        let value = self.get(variable)?;
        // As many as OpenTelemetry asks for, so that no deadline is out of the clock's range.
        let Some(millis) = value.parse::<u32>().ok() else {
            self.ignore(variable, &value, "is no number of milliseconds");
            return None;
        };
        Some(Duration::from_millis(millis.into()))
    }

    fn exemplars(&mut self) -> bool {
        let Some(value) = self.get(EXEMPLARS) else { return true };
        match &*value.to_ascii_lowercase() {
            "trace_based" => true,
            "always_off" => false,
            _ => {
                self.ignore(EXEMPLARS, &value, "is neither trace_based nor always_off");
                true
            }
        }
    }

    /// Returns the attributes of the resource, each once. The program's override the variables'.
    fn resource(
        &mut self,
        given: &[(String, String)],
        program: Option<&str>,
    ) -> Vec<(String, String)> {
        let unknown = program
            .map_or("unknown_service".to_owned(), |program| format!("unknown_service:{program}"));
        let mut all = vec![(NAME.to_owned(), unknown)];
        if let Some(value) = self.get(RESOURCE) {
            match attributes(&value) {
                Some(attributes) => all.extend(attributes),
                // OpenTelemetry discards all of it.
                None => self.ignore(RESOURCE, &value, "is no list of key=value"),
            }
        }
        all.extend(self.get(SERVICE_NAME).map(|name| (NAME.to_owned(), name)));
        all.extend(given.iter().cloned());
        let mut once = Vec::<(String, String)>::new();
        for (key, value) in all {
            match once.iter_mut().find(|(known, _)| *known == key) {
                Some((_, known)) => *known = value,
                None => once.push((key, value)),
            }
        }
        once
    }
}

/// Replaces a timeout of 0, which stands for none, and those that are out of a clock's range.
fn or_forever(timeout: Duration) -> Duration {
    if timeout.is_zero() { FOREVER } else { timeout.min(FOREVER) }
}

/// Parses `key=value,key=value`, in which `,`, `=` and `%` are percent-encoded.
fn attributes(list: &str) -> Option<Vec<(String, String)>> {
    let pairs = list.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let decoded =
        |text: &str| Some(percent_decode_str(text.trim()).decode_utf8().ok()?.into_owned());
    let pairs = pairs.map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let key = decoded(key).filter(|key| !key.is_empty())?;
        Some((key, decoded(value)?))
    });
    pairs.collect()
}

/// Returns the name in front of a header's value, which may be a secret.
fn name_of(pair: &str) -> String {
    let (name, _) = pair.split_once('=').unwrap_or(("", pair));
    name.trim().to_owned()
}

#[cfg(all(test, not(cells_model)))]
#[path = "settings_tests.rs"]
mod tests;
