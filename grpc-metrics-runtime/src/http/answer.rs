//! The negotiated representation of a scrape, and the answer.

use std::io::{self, Write};
use std::mem;
use std::panic::{self, AssertUnwindSafe};

use axum::body::Bytes;
#[cfg(any(feature = "native-histograms", feature = "openmetrics"))]
use axum::http::header::ACCEPT;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, VARY};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use flate2::Compression;
use flate2::write::GzEncoder;
use prometheus::Registry;

use super::accept;
use crate::export::text;
#[cfg(feature = "openmetrics")]
use crate::openmetrics;
#[cfg(feature = "native-histograms")]
use crate::protobuf;

/// The format and content coding of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Representation {
    format: Format,
    gzip: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    #[cfg(feature = "openmetrics")]
    OpenMetrics,
    #[cfg(feature = "native-histograms")]
    Protobuf,
}

impl Format {
    #[cfg(not(any(feature = "native-histograms", feature = "openmetrics")))]
    fn from_headers(_: &HeaderMap) -> Self {
        Self::Text
    }

    /// Returns the format with the largest weight; of two with the same, the one that can say more.
    #[cfg(any(feature = "native-histograms", feature = "openmetrics"))]
    fn from_headers(headers: &HeaderMap) -> Self {
        let weights = accept::format_weights(headers);
        let formats = [
            (weights.text, Self::Text),
            #[cfg(feature = "openmetrics")]
            (weights.openmetrics, Self::OpenMetrics),
            #[cfg(feature = "native-histograms")]
            (weights.protobuf, Self::Protobuf),
        ];
        let named = formats.into_iter().filter(|(weight, _)| *weight > 0);
        named.max_by_key(|(weight, _)| *weight).map_or(Self::Text, |(_, format)| format)
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Text => text::TEXT_CONTENT_TYPE,
            #[cfg(feature = "openmetrics")]
            Self::OpenMetrics => openmetrics::CONTENT_TYPE,
            #[cfg(feature = "native-histograms")]
            Self::Protobuf => protobuf::CONTENT_TYPE,
        }
    }

    fn encode(self, registry: &Registry) -> prometheus::Result<Vec<u8>> {
        match self {
            Self::Text => text::encode_registry(registry).map(String::into_bytes),
            #[cfg(feature = "openmetrics")]
            Self::OpenMetrics => openmetrics::encode_registry(registry).map(String::into_bytes),
            #[cfg(feature = "native-histograms")]
            Self::Protobuf => protobuf::encode_registry(registry),
        }
    }
}

impl Representation {
    /// Negotiates the representation by the headers of a request.
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        Self { format: Format::from_headers(headers), gzip: accept::prefers_gzip(headers) }
    }

    /// Returns the headers of a successful answer.
    pub(super) fn headers(self) -> HeaderMap {
        let mut headers = with_type(self.format.content_type());
        if self.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers
    }

    /// Collects, encodes and compresses all metrics. Blocks.
    pub(super) fn answer(self, registry: &Registry) -> Answer {
        // Unwind safe: everything the encoder changes is dropped by the panic.
        match panic::catch_unwind(AssertUnwindSafe(|| self.encode(registry))) {
            Ok(Ok(body)) => Answer { status: StatusCode::OK, headers: self.headers(), body },
            // A collector returned an invalid family.
            Ok(Err(error)) => Answer::failed(format!("{error}\n")),
            Err(payload) => {
                // The payload is the collector's, so its drop may panic, too.
                if let Err(next) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                    mem::forget(next);
                }
                Answer::failed("a collector panicked\n".to_owned())
            }
        }
    }

    fn encode(self, registry: &Registry) -> prometheus::Result<Bytes> {
        let bytes = self.format.encode(registry)?;
        Ok(if self.gzip { compress(&bytes)?.into() } else { bytes.into() })
    }
}

/// Returns `Content-Type`, and `Vary` for caches.
fn with_type(content_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    #[cfg(any(feature = "native-histograms", feature = "openmetrics"))]
    headers.append(VARY, ACCEPT.into());
    headers.append(VARY, ACCEPT_ENCODING.into());
    headers
}

fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    // A third more bytes than the default level in a ninth of the time. Scrapes compete with RPCs for CPU time.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// A complete answer, which scrapes of one batch can share.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn failed(why: String) -> Self {
        Self::refused(StatusCode::INTERNAL_SERVER_ERROR, why.into())
    }

    pub(super) fn refused(status: StatusCode, why: Bytes) -> Self {
        Self { status, headers: with_type("text/plain; charset=utf-8"), body: why }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(super) fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
