//! Contract, N2: each variable.

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, Error> {
    read_with(&Given::default(), variables)
}

fn read_with(given: &Given, variables: &[(&str, &str)]) -> Result<Option<Settings>, Error> {
    let lookup = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::new(given, lookup, Some("shop"))
}

/// The settings of variables that are right.
fn settings(variables: &[(&str, &str)]) -> Settings {
    let settings = read(variables).unwrap().unwrap();
    assert!(settings.warnings.is_empty(), "{settings:?}");
    settings
}

/// The settings of variables of which one is ignored.
fn warned(variables: &[(&str, &str)]) -> Settings {
    let settings = read(variables).unwrap().unwrap();
    let [warning] = &settings.warnings[..] else { panic!("{settings:?}") };
    let (name, value) = variables[0];
    assert!(warning.starts_with(&format!("{name}={value} is ignored")), "{warning}");
    settings
}

fn error(variables: &[(&str, &str)]) -> Error {
    read(variables).unwrap_err()
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn n2_defaults_are_those_of_the_specification() {
    let is_default = |settings: Settings| {
        assert_eq!(settings.endpoint.unwrap(), "http://localhost:4317/");
        assert!(settings.headers.is_empty());
        assert_eq!(settings.timeout, millis(10_000));
        assert!(!settings.gzip);
        assert_eq!(settings.interval, millis(60_000));
        assert!(settings.exemplars);
        let name = ("service.name".to_owned(), "unknown_service:shop".to_owned());
        assert_eq!(settings.resource, [name]);
    };
    is_default(settings(&[]));
    let pairs = [ENDPOINT, INSECURE, HEADERS, TIMEOUT, PROTOCOL, COMPRESSION];
    let alone = [
        DISABLED,
        EXPORTERS,
        SERVICE_NAME,
        RESOURCE,
        INTERVAL,
        PUSH_TIMEOUT,
        TEMPORALITY,
        EXEMPLARS,
        AGGREGATION,
    ];
    for empty in ["", " "] {
        let all = pairs.iter().flatten().chain(&alone);
        is_default(settings(&all.map(|name| (*name, empty)).collect::<Vec<_>>()));
    }
}

#[test]
fn n2_the_variable_for_metrics_takes_precedence() {
    let both = settings(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://all"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://metrics:1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "all=1"),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "metrics=1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "2"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip"),
    ]);
    assert_eq!(both.endpoint.unwrap(), "http://metrics:1/");
    assert_eq!(both.headers.keys().collect::<Vec<_>>(), ["metrics"]);
    assert_eq!(both.timeout, millis(2));
    assert!(both.gzip);
    let empty = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:1"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", ""),
    ];
    assert_eq!(settings(&empty).endpoint.unwrap(), "http://all:1/");
}

#[test]
fn n2_a_program_or_its_metrics_may_be_disabled() {
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "True"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "prometheus,console"),
    ] {
        let others = [(name, value), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")];
        assert!(read(&others).unwrap().is_none(), "{name}={value}");
    }
    settings(&[("OTEL_SDK_DISABLED", "false")]);
    settings(&[("OTEL_METRICS_EXPORTER", "prometheus, otlp")]);
    warned(&[("OTEL_SDK_DISABLED", "1")]);
    // A slip of the pen must not end the pushes without a word.
    warned(&[("OTEL_METRICS_EXPORTER", "oltp")]);
}

#[test]
fn n2_an_endpoint_is_a_url() {
    let endpoint = |value: &str| {
        settings(&[("OTEL_EXPORTER_OTLP_ENDPOINT", value)]).endpoint.unwrap().to_string()
    };
    assert_eq!(endpoint("http://collector:4317"), "http://collector:4317/");
    assert_eq!(endpoint(" http://[::1]:4317/ "), "http://[::1]:4317/");
    let bare = [("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")];
    let insecure = [bare[0], ("OTEL_EXPORTER_OTLP_INSECURE", "true")];
    assert_eq!(settings(&insecure).endpoint.unwrap(), "http://collector:4317/");
    for tls in ["https://collector:4317", bare[0].1] {
        let error = error(&[("OTEL_EXPORTER_OTLP_ENDPOINT", tls)]);
        assert!(matches!(&error, Error::NeedsTls { endpoint } if endpoint == tls), "{error:?}");
        assert!(error.to_string().contains("PusherBuilder::channel"), "{error}");
    }
    for wrong in ["unix:///tmp/socket", "http://", "http:// a", "ftp://collector", "http://a:b:c"] {
        let error = error(&[("OTEL_EXPORTER_OTLP_ENDPOINT", wrong)]);
        assert!(matches!(error, Error::InvalidEndpoint { .. }), "{wrong}: {error:?}");
    }
    let given = Given { has_channel: true, ..Given::default() };
    let ignored = [("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4317")];
    assert!(read_with(&given, &ignored).unwrap().unwrap().endpoint.is_none());
}

#[test]
fn n2_headers_are_decoded_and_secret() {
    let value = "Api-Key=a%20b%3D , x-team = ops ,,x-empty=";
    let headers = settings(&[("OTEL_EXPORTER_OTLP_HEADERS", value)]).headers;
    assert_eq!(headers["api-key"], "a b=");
    assert_eq!(headers["x-team"], "ops");
    assert_eq!(headers["x-empty"], "");
    assert_eq!(headers.len(), 3);
    assert!(!format!("{headers:?}").contains("ops"));
    for wrong in ["secret", "a b=secret", "key=%01secret", "key=%ffsecret"] {
        let error = error(&[("OTEL_EXPORTER_OTLP_HEADERS", wrong)]);
        assert!(matches!(error, Error::InvalidHeader { .. }), "{wrong}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
}

#[test]
fn n2_times_are_milliseconds() {
    let times = [
        ("OTEL_METRIC_EXPORT_INTERVAL", "1500"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "700"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "800"),
    ];
    let both = settings(&times);
    assert_eq!((both.interval, both.timeout), (millis(1500), millis(700)), "the shorter one");
    assert_eq!(settings(&times[1..2]).timeout, millis(700));
    assert_eq!(settings(&times[2..]).timeout, millis(800));
    // A zero is no timeout.
    let none = ("OTEL_EXPORTER_OTLP_TIMEOUT", "0");
    assert_eq!(settings(&[none]).timeout, millis(30_000));
    assert_eq!(settings(&[none, ("OTEL_METRIC_EXPORT_TIMEOUT", "0")]).timeout, FOREVER);
    for (name, _) in times {
        for wrong in ["soon", "-1", "1.5", "10s", "99999999999999999999"] {
            let ignored = warned(&[(name, wrong)]);
            assert_eq!((ignored.interval, ignored.timeout), (millis(60_000), millis(10_000)));
        }
    }
    assert_eq!(warned(&[("OTEL_METRIC_EXPORT_INTERVAL", "0")]).interval, millis(60_000));
    let given = Given { interval: Some(Duration::ZERO), ..Given::default() };
    assert!(matches!(read_with(&given, &[]), Err(Error::NoInterval)));
    let longest = Some(Duration::MAX);
    let given = Given { interval: longest, timeout: longest, ..Given::default() };
    let settings = read_with(&given, &[]).unwrap().unwrap();
    assert_eq!((settings.interval, settings.timeout), (FOREVER, FOREVER));
}

#[test]
fn n2_what_is_not_supported_is_an_error() {
    for value in ["http/protobuf", "http/json", "GRPC?"] {
        let error = error(&[("OTEL_EXPORTER_OTLP_PROTOCOL", value)]);
        assert!(matches!(error, Error::UnsupportedProtocol { .. }), "{error:?}");
        assert!(error.to_string().starts_with("OTEL_EXPORTER_OTLP_PROTOCOL="), "{error}");
    }
    let zstd = error(&[("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "zstd")]);
    assert!(matches!(zstd, Error::UnsupportedCompression { .. }), "{zstd:?}");
    for value in ["delta", "LowMemory"] {
        let name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
        let error = error(&[(name, value)]);
        assert!(matches!(error, Error::UnsupportedTemporality { .. }), "{error:?}");
        assert!(error.to_string().contains("cumulativetodelta"), "{error}");
    }
    settings(&[
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "Cumulative"),
    ]);
}

/// As OpenTelemetry's specification wants it.
#[test]
fn n2_the_case_of_what_is_selected_makes_no_difference() {
    let gzip = settings(&[
        ("OTEL_METRICS_EXPORTER", "OTLP"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "gRPC"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP"),
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "EXPLICIT_BUCKET_HISTOGRAM"),
    ]);
    assert!(gzip.gzip);
    assert!(!settings(&[("OTEL_EXPORTER_OTLP_COMPRESSION", "None")]).gzip);
}

#[test]
fn n2_histograms_have_explicit_bounds() {
    let name = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
    warned(&[(name, "base2_exponential_bucket_histogram")]);
}

#[test]
fn n2_exemplars_can_be_turned_off() {
    let name = "OTEL_METRICS_EXEMPLAR_FILTER";
    assert!(!settings(&[(name, "always_off")]).exemplars);
    assert!(settings(&[(name, "trace_based")]).exemplars);
    assert!(warned(&[(name, "always_on")]).exemplars);
}

#[test]
fn n2_a_resource_is_the_variables_and_the_programs() {
    let of = |variables: &[(&str, &str)]| {
        let resource = settings(variables).resource.into_iter();
        resource.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
    };
    let list = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a%2Cb, zone = %C3%BC ,k%3D=,");
    assert_eq!(of(&[list]), ["service.name=a,b", "zone=ü", "k=="]);
    assert_eq!(of(&[list, ("OTEL_SERVICE_NAME", "c,d")])[0], "service.name=c,d");
    for wrong in ["zone", "=a", "zone=a,b", "zone=%ff"] {
        // All of it is discarded.
        let value = format!("service.name=x,{wrong}");
        let ignored = warned(&[("OTEL_RESOURCE_ATTRIBUTES", &value)]);
        assert_eq!(ignored.resource.len(), 1, "{ignored:?}");
        assert_eq!(ignored.resource[0].1, "unknown_service:shop");
    }
}

#[test]
fn n2_the_program_overrides_variables() {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let given = Given {
        endpoint: Some("http://given:1".to_owned()),
        headers: vec![pair("key", "given")],
        timeout: Some(millis(1)),
        gzip: Some(false),
        interval: Some(millis(2)),
        exemplars: Some(true),
        resource: vec![pair("service.name", "given"), pair("zone", "given")],
        ..Given::default()
    };
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://set"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "key=set,other=set"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "3"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "4"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "always_off"),
        ("OTEL_SERVICE_NAME", "set"),
        ("OTEL_RESOURCE_ATTRIBUTES", "zone=set,other=set"),
    ];
    let settings = read_with(&given, &variables).unwrap().unwrap();
    assert_eq!(settings.endpoint.unwrap(), "http://given:1/");
    assert_eq!((settings.timeout, settings.interval), (millis(1), millis(2)));
    assert!(settings.exemplars && !settings.gzip);
    assert_eq!(settings.headers["key"], "given");
    assert_eq!(settings.headers["other"], "set");
    let expected = [("service.name", "given"), ("zone", "given"), ("other", "set")];
    assert_eq!(settings.resource, expected.map(|(key, value)| pair(key, value)));
}
