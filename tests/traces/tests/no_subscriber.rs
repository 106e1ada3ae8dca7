//! Contract, section J: a program with the features and without a subscriber. What that may allocate is in
//! `cost.rs`, where all features are on.

use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::{Context, global};
use support::bed::Bed;
use support::clients::Kind;
use support::ran_alone;
use support::script::{script, send};
use tonic::Code;
use traces::{Caller, exemplars};

static ASKED: AtomicUsize = AtomicUsize::new(0);

/// Counts how often it is asked.
#[derive(Debug)]
struct Counting;

impl TextMapPropagator for Counting {
    fn inject_context(&self, _: &Context, _: &mut dyn Injector) {}

    fn extract_with_context(&self, context: &Context, _: &dyn Extractor) -> Context {
        ASKED.fetch_add(1, Ordering::SeqCst);
        context.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

#[tokio::test]
async fn j7_without_a_subscriber_nobody_looks_for_a_trace() {
    if ran_alone!(j7_without_a_subscriber_nobody_looks_for_a_trace) {
        return;
    }
    global::set_text_map_propagator(Counting);
    let bed = Bed::new().await;
    for kind in Kind::ALL {
        let request = Caller::new(true).request(script([], [send()]));
        assert_eq!(support::clients::call(&bed.channel, kind, request).await.code(), Code::Ok);
        assert_eq!(exemplars(&bed, kind), []);
    }
    assert_eq!(ASKED.load(Ordering::SeqCst), 0);
    // With one, somebody does.
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    bed.call(Kind::Unary, script([], [])).await;
    assert_eq!(ASKED.load(Ordering::SeqCst), 1);
}
