//! Contract, section J: the caller's trace is read by whatever propagator the program has installed.

use opentelemetry::global;
use opentelemetry_propagator_b3::{B3Encoding, Propagator};
use support::bed::Bed;
use support::clients::{self, Kind};
use support::ran_alone;
use support::script::script;
use tonic::{Code, Request};
use traces::{Caller, exemplars, exporter};

/// Zipkin's, with one header and with several.
#[tokio::test]
async fn j5_the_callers_trace_in_zipkins_headers() {
    if ran_alone!(j5_the_callers_trace_in_zipkins_headers) {
        return;
    }
    exporter();
    global::set_text_map_propagator(Propagator::with_encoding(B3Encoding::SingleAndMultiHeader));
    let bed = Bed::new().await;
    for several in [false, true] {
        let caller = Caller::new(true);
        let (trace, span) = (caller.0.trace_id().to_string(), caller.0.span_id().to_string());
        let mut request = Request::new(script([], []));
        let headers = request.metadata_mut();
        if several {
            headers.insert("x-b3-traceid", trace.parse().unwrap());
            headers.insert("x-b3-spanid", span.parse().unwrap());
            headers.insert("x-b3-sampled", "1".parse().unwrap());
        } else {
            headers.insert("b3", format!("{trace}-{span}-1").parse().unwrap());
        }
        assert_eq!(clients::call(&bed.channel, Kind::Unary, request).await.code(), Code::Ok);
        // Before the span, which one would wait for in another trace.
        let traces = exemplars(&bed, Kind::Unary).into_iter().map(|exemplar| exemplar.trace_id);
        assert!(traces.collect::<Vec<_>>().contains(&caller.trace_id()));
        assert_eq!(caller.span().await.parent_span_id, caller.0.span_id());
    }
    // Which is not read now.
    let caller = Caller::new(true);
    let request = caller.request(script([], []));
    assert_eq!(clients::call(&bed.channel, Kind::Unary, request).await.code(), Code::Ok);
    assert_eq!(caller.spans(), []);
}
