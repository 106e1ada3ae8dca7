//! Every name that an expansion might want means something else in this crate, and there is no prelude.

// Written as users write.
#![allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
#![no_implicit_prelude]
#![allow(dead_code, unused_imports, unused_macros, non_camel_case_types)]

use ::std::boxed::Box;
use ::support::shapes::pb;

struct Request;
struct Response;
struct Status;
struct Code;
struct Result;
struct Option;
struct Ok;
struct Err;
struct Some;
struct None;
struct Pin;
struct Vec;
struct String;
struct Rpc;
struct Method;
struct Service;
struct Handler;
struct ResponseStream;
struct str;
struct bool;
trait Stream {}
trait Future {}
trait Send {}
trait Sync {}
trait Into {}
trait From {}
mod std {}
mod core {}
mod alloc {}
mod tonic {}
mod prometheus {}
mod inventory {}
mod futures_core {}
mod grpc_metrics_runtime {}
macro_rules! file {
    () => {};
}
macro_rules! line {
    () => {};
}
macro_rules! submit {
    () => {};
}

/// What all types have here.
trait Everything {
    const STREAMS: ::core::primitive::bool = true;
    fn instrument(&self) {}
    fn until_return() {}
    fn new() {}
}
impl<T: ?::core::marker::Sized> Everything for T {}

struct Hostile;

type Answers = ::tokio_stream::Empty<::std::result::Result<pb::Answer, ::tonic::Status>>;

#[::grpc_metrics_runtime::instrument_grpc]
#[::tonic::async_trait]
impl pb::shapes_server::Shapes for Hostile {
    async fn one(
        &self,
        _: ::tonic::Request<pb::Ask>,
    ) -> ::std::result::Result<::tonic::Response<pb::Answer>, ::tonic::Status> {
        ::std::result::Result::Err(::tonic::Status::aborted("always"))
    }

    async fn upload(
        &self,
        _: ::tonic::Request<::tonic::Streaming<pb::Ask>>,
    ) -> ::std::result::Result<::tonic::Response<pb::Answer>, ::tonic::Status> {
        ::std::result::Result::Err(::tonic::Status::aborted("always"))
    }

    type WatchStream = Answers;
    async fn watch(
        &self,
        _: ::tonic::Request<pb::Ask>,
    ) -> ::std::result::Result<::tonic::Response<Self::WatchStream>, ::tonic::Status> {
        let stream: Self::WatchStream = ::tokio_stream::empty();
        ::std::result::Result::Ok(::tonic::Response::new(stream))
    }

    type ChatStream = Self::WatchStream;
    async fn chat(
        &self,
        _: ::tonic::Request<::tonic::Streaming<pb::Ask>>,
    ) -> ::std::result::Result<::tonic::Response<Answers>, ::tonic::Status> {
        ::std::result::Result::Ok(::tonic::Response::new(::tokio_stream::empty()))
    }
}

fn main() {}
