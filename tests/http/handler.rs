//! O: the handler for servers of any framework.

use flate2::read::GzDecoder;
use grpc_metrics_runtime::http::MetricsHandler;
use grpc_metrics_runtime::prometheus::{IntCounter, Registry};
use grpc_metrics_runtime::{TEXT_CONTENT_TYPE, encode_registry, openmetrics};
use http::header::{ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};

fn registry() -> Registry {
    let registry = Registry::new();
    let counter = IntCounter::new("any_total", "A counter.").expect("a legal name");
    counter.inc();
    registry.register(Box::new(counter)).expect("it is empty");
    registry
}

fn headers(accept: &'static str, encoding: &'static str) -> HeaderMap {
    let headers = [(ACCEPT, accept), (ACCEPT_ENCODING, encoding)];
    headers.into_iter().map(|(name, value)| (name, value.parse().expect("legal"))).collect()
}

#[tokio::test]
async fn o1_a_handler_answers_without_a_router() {
    let registry = registry();
    let handler = MetricsHandler::of_registry(&registry);
    let plain = handler.respond(&Method::GET, &headers("", "")).await;
    assert_eq!(plain.status(), StatusCode::OK);
    assert_eq!(plain.headers()[CONTENT_TYPE], TEXT_CONTENT_TYPE);
    assert_eq!(plain.body(), encode_registry(&registry).expect("legal families").as_bytes());

    let wanted = headers("application/openmetrics-text", "gzip");
    let open = handler.respond(&Method::GET, &wanted).await;
    assert_eq!(open.headers()[CONTENT_TYPE], openmetrics::CONTENT_TYPE);
    assert_eq!(open.headers()[CONTENT_ENCODING], "gzip");
    let text = std::io::read_to_string(GzDecoder::new(&open.body()[..])).expect("a gzip stream");
    assert_eq!(text, openmetrics::encode_registry(&registry).expect("legal families"));

    let head = handler.respond(&Method::HEAD, &wanted).await;
    assert_eq!((head.status(), head.headers()), (StatusCode::OK, open.headers()));
    assert!(head.body().is_empty());

    let refused = handler.respond(&Method::POST, &HeaderMap::new()).await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers()[ALLOW], "GET,HEAD");
}
