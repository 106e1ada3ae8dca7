//! What clients and scrapers send, and the queries that are translated.

use std::sync::LazyLock;

use grpc_metrics_runtime::monitoring::Monitoring;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{__fuzzing as runtime, GrpcMetrics, Naming};
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue};

/// `Accept` and `Accept-Encoding`: lines, of which those after an empty one are the latter.
pub fn accept(input: &[u8]) {
    let headers = |map: fn(&[u8]) -> Vec<u8>| {
        let mut name = ACCEPT;
        let mut headers = HeaderMap::new();
        for line in input.split(|byte| *byte == b'\n').take(1_000) {
            if line.is_empty() {
                name = ACCEPT_ENCODING;
            } else if let Ok(value) = HeaderValue::from_bytes(&map(line)) {
                headers.append(&name, value);
            }
        }
        headers
    };
    let plain = runtime::negotiated(&headers(<[u8]>::to_vec));
    let upper = runtime::negotiated(&headers(<[u8]>::to_ascii_uppercase));
    assert_eq!(plain, upper, "neither names nor parameters depend on the case");
    let spaced = runtime::negotiated(&headers(|line| [b" ", line, b" "].concat()));
    assert_eq!(plain, spaced, "spaces around elements make no difference");
    for (coding, name) in [("gzip: true", "gzip"), ("OpenMetrics", "openmetrics-text")] {
        let mut text = input.to_ascii_lowercase();
        text.retain(|byte| *byte != 0);
        let is_named = text.windows(name.len()).any(|part| part == name.as_bytes());
        let is_any = name == "gzip" && text.contains(&b'*');
        assert!(!plain.contains(coding) || is_named || is_any, "{plain} without {name}");
    }
}

/// `grpc-timeout`: eight bytes of elapsed nanoseconds, then the value.
pub fn grpc_timeout(input: &[u8]) {
    let Some((elapsed, value)) = input.split_first_chunk() else { return };
    let elapsed = u64::from_le_bytes(*elapsed);
    let Ok(header) = HeaderValue::from_bytes(value) else { return };
    let mut headers = HeaderMap::new();
    headers.insert("grpc-timeout", header);
    let is_late = runtime::is_late(&headers, elapsed);
    assert!(!is_late || runtime::is_late(&headers, elapsed.saturating_add(1)), "late stays late");
    let nanos = std::str::from_utf8(value).ok().and_then(timeout_nanos);
    let expected = nanos.is_some_and(|nanos| {
        let tolerance = (nanos / 10).min(50_000_000);
        u128::from(elapsed) >= nanos.min(u64::MAX.into()) - tolerance
    });
    assert_eq!(is_late, expected, "{value:?} after {elapsed}");
}

/// What the specification says: one to eight digits and a unit. tonic allows a plus sign, too.
fn timeout_nanos(value: &str) -> Option<u128> {
    let unit = value.chars().next_back()?;
    let number = &value[..value.len() - unit.len_utf8()];
    let seconds = |seconds: u128| Some(seconds * 1_000_000_000);
    let nanos_per_unit = match unit {
        'H' => seconds(3_600),
        'M' => seconds(60),
        'S' => seconds(1),
        'm' => Some(1_000_000),
        'u' => Some(1_000),
        'n' => Some(1),
        _ => None,
    }?;
    let number = if number.len() <= 8 { number.parse::<u32>().ok() } else { None }?;
    Some(u128::from(number) * nanos_per_unit)
}

/// A request's or response's body: a byte that says how it is split, then the data.
pub fn frames(input: &[u8]) {
    let Some((split, data)) = input.split_first() else { return };
    let (messages, bytes) = runtime::messages([data]);
    let prefixes = 5 * usize::try_from(messages).expect("no more messages than bytes");
    let most = data.len().saturating_sub(prefixes);
    assert!(prefixes <= data.len() && bytes <= most as u64, "{messages} messages, {bytes} bytes");
    let pieces = data.chunks(usize::from(*split).max(1));
    assert_eq!((messages, bytes), runtime::messages(pieces), "in pieces of {split}");
}

/// Queries and lines of the generated files, in the names of each naming.
pub fn queries(input: &[u8]) {
    static MONITORING: LazyLock<Vec<Monitoring>> = LazyLock::new(|| {
        let namings =
            [Naming::Default, Naming::GoGrpcPrometheus, Naming::OpenTelemetry, Naming::GrpcA66];
        let monitoring = |naming| {
            let builder = GrpcMetrics::builder().registry(&Registry::new()).naming(naming);
            builder.build().expect("the naming is valid").monitoring()
        };
        namings.map(monitoring).into()
    });
    let Ok(text) = std::str::from_utf8(input) else { return };
    assert_eq!(runtime::query_tokens(text).concat(), text, "the tokens are the query");
    for monitoring in &*MONITORING {
        // Whatever comes out, it is neither a panic nor much longer.
        for translated in runtime::translated(monitoring, text) {
            assert!(translated.len() <= 1_000 * (text.len() + 1), "{} bytes", translated.len());
        }
    }
}
