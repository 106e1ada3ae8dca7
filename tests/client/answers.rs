//! L3: answers that no gRPC server gives.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use support::clients::Kind;
use support::script::script;
use support::stage::Stage;
use tonic::service::Routes;
use tonic::{Code, Request};

use super::called::{Called, Way};

/// A server that answers everything so.
async fn answering(way: Way, answer: fn() -> Response) -> Called {
    let router = Router::new().fallback(move || async move { answer() });
    Called::by(way, Routes::from(router), Stage::default()).await
}

/// Calls every method, and asserts the codes of those that answer with one message, and of streams.
async fn assert_ends(way: Way, answer: fn() -> Response, single: Code, stream: Code) {
    let called = answering(way, answer).await;
    let mut expected = Vec::new();
    for kind in Kind::ALL {
        let _ = called.call(kind, Request::new(script([], []))).await;
        expected.push((kind, if kind.streams() { stream } else { single }, 1));
    }
    called.assert_ended(&expected).await;
}

async fn assert_all_end_with(answer: fn() -> Response, code: Code) {
    for way in Way::ALL {
        assert_ends(way, answer, code, code).await;
    }
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[tokio::test]
async fn l3_http_errors_have_the_codes_of_the_mapping() {
    assert_all_end_with(|| status(StatusCode::BAD_REQUEST), Code::Internal).await;
    assert_all_end_with(|| status(StatusCode::UNAUTHORIZED), Code::Unauthenticated).await;
    assert_all_end_with(|| status(StatusCode::FORBIDDEN), Code::PermissionDenied).await;
    assert_all_end_with(|| status(StatusCode::NOT_FOUND), Code::Unimplemented).await;
    assert_all_end_with(|| status(StatusCode::TOO_MANY_REQUESTS), Code::Unavailable).await;
    assert_all_end_with(|| status(StatusCode::BAD_GATEWAY), Code::Unavailable).await;
    assert_all_end_with(|| status(StatusCode::IM_A_TEAPOT), Code::Unknown).await;
}

/// A message, and trailers if there are any.
fn message(data: &'static [u8], trailers: Option<HeaderMap>) -> Response {
    let data = Full::new(data.into());
    let body = match trailers {
        Some(trailers) => Body::new(data.with_trailers(async { Some(Ok(trailers)) })),
        None => Body::new(data),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

#[tokio::test]
async fn l3_an_answer_without_a_status_is_unknown() {
    assert_all_end_with(|| message(b"\0\0\0\0\0", None), Code::Unknown).await;
}

fn trailers(status: &'static str) -> HeaderMap {
    let status = HeaderValue::from_static(status);
    HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), status)])
}

#[tokio::test]
async fn l3_a_status_that_is_none_is_unknown() {
    assert_all_end_with(|| message(b"\0\0\0\0\0", Some(trailers("x"))), Code::Unknown).await;
}

/// What the program does not get is seen by the attribute alone.
#[tokio::test]
async fn l3_an_answer_that_can_t_be_decoded_is_internal_with_the_attribute() {
    // A field of type 7, which there is not; a message longer than the stream; and none.
    let answers: [fn() -> Response; 3] = [
        || message(b"\0\0\0\0\x01\x0f", Some(trailers("0"))),
        || message(b"\0\0\0\0\x02\x08", Some(trailers("0"))),
        || message(b"", Some(trailers("0"))),
    ];
    for (answer, stream) in answers.into_iter().zip([Code::Internal, Code::Ok, Code::Ok]) {
        assert_ends(Way::Layer, answer, Code::Ok, Code::Ok).await;
        assert_ends(Way::Attribute, answer, Code::Internal, stream).await;
    }
}

/// tonic gives the error, and then the rest of the stream.
#[tokio::test]
async fn l3_a_message_that_can_t_be_decoded_counts_even_if_the_program_reads_on() {
    let undecodable = || message(b"\0\0\0\0\x01\x0f", Some(trailers("0")));
    let called = answering(Way::Attribute, undecodable).await;
    for kind in Kind::STREAMS {
        let opened = called.open(kind, Request::new(script([], []))).await;
        let mut replies = opened.unwrap().into_inner();
        assert_eq!(replies.message().await.unwrap_err().code(), Code::Internal);
        assert!(replies.message().await.unwrap().is_none());
    }
    called.assert_ended(&Kind::STREAMS.map(|kind| (kind, Code::Internal, 1))).await;
}

/// The body breaks off.
#[tokio::test]
async fn l3_a_reset_is_the_code_that_the_program_gets() {
    let broken = || {
        let frames = tokio_stream::iter([Err::<http_body::Frame<bytes::Bytes>, _>("broken")]);
        Response::new(Body::new(StreamBody::new(frames)))
    };
    for way in Way::ALL {
        let called = answering(way, broken).await;
        let mut expected = Vec::new();
        for kind in Kind::ALL {
            let status = called.call(kind, Request::new(script([], []))).await.unwrap_err();
            expected.push((kind, status.code(), 1));
        }
        called.assert_ended(&expected).await;
    }
}
