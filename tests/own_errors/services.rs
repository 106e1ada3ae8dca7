//! One service, with errors of its own in every place.

use std::pin::Pin;
use std::sync::Arc;

use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc};
use support::shapes::pb::shapes_server::Shapes;
use support::shapes::pb::{Answer, Ask};
use support::shapes::{answer, answers, last, stubs};
use tokio_stream::{Iter, Stream, StreamExt};
use tonic::{Code, Request, Response, Status, Streaming};

use super::errors::{
    AppError, ByHand as ConvertsByHand, NeverConverted, OuterError, Panics as PanicsInto, fail,
};

type Answered<T, E = AppError> = Result<Response<T>, E>;
type Answers<E> = Iter<std::vec::IntoIter<Result<Answer, E>>>;
type Boxed = Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send>>;

/// The message, or the error that is asked for.
fn ask_for(ask: Ask) -> Result<Answer, AppError> {
    if ask.code == 0 { Ok(Answer { number: ask.count }) } else { Err(fail(ask.count)) }
}

/// Its conversion is written by hand; what it answers is what `check_shapes` wants to see.
pub(crate) struct Converted;

#[instrument_grpc(service = "own.converted")]
#[tonic::async_trait]
impl Shapes for Converted {
    async fn one(&self, ask: Request<Ask>) -> Result<Response<Answer>, ConvertsByHand> {
        Ok(Response::new(answer(ask.into_inner())?))
    }

    async fn upload(&self, asks: Request<Streaming<Ask>>) -> Answered<Answer, ConvertsByHand> {
        answer(last(asks.into_inner()).await?).map(Response::new).map_err(ConvertsByHand)
    }

    type WatchStream = Answers<Status>;

    async fn watch(&self, ask: Request<Ask>) -> Answered<Self::WatchStream, ConvertsByHand> {
        Ok(Response::new(tokio_stream::iter(answers(ask.into_inner()))))
    }

    type ChatStream = Boxed;

    // Spelled out, and boxed by what the return type says.
    async fn chat(&self, asks: Request<Streaming<Ask>>) -> Result<Response<Boxed>, ConvertsByHand> {
        let ask = last(asks.into_inner()).await?;
        Ok(Response::new(Box::pin(tokio_stream::iter(answers(ask)))))
    }
}

/// The handlers return the error, and so do the streams.
pub(crate) struct Own(pub(crate) GrpcMetrics);

#[instrument_grpc(service = "own.own", metrics = self.0)]
#[tonic::async_trait]
impl Shapes for Own {
    async fn one(&self, ask: Request<Ask>) -> Answered<Answer> {
        let answer = ask_for(ask.into_inner())?;
        Ok(Response::new(answer))
    }

    async fn upload(&self, asks: Request<Streaming<Ask>>) -> Answered<Answer> {
        let ask = last(asks.into_inner()).await?;
        return Err(fail(ask.count));
    }

    type WatchStream = Answers<AppError>;

    async fn watch(&self, ask: Request<Ask>) -> Answered<Self::WatchStream> {
        let messages = vec![Ok(Answer::default()), ask_for(ask.into_inner())];
        let stream: Self::WatchStream = tokio_stream::iter(messages);
        Ok(Response::new(stream))
    }

    type ChatStream = Boxed;

    async fn chat(&self, asks: Request<Streaming<Ask>>) -> Answered<Self::ChatStream> {
        let ask = last(asks.into_inner()).await?;
        Err(fail(ask.count))
    }
}

/// The handlers return a `Status`, and their errors become one on the way.
pub(crate) struct ByQuestionMark(pub(crate) GrpcMetrics);

#[instrument_grpc(service = "own.by_question_mark", metrics = self.0)]
#[tonic::async_trait]
impl Shapes for ByQuestionMark {
    async fn one(&self, ask: Request<Ask>) -> Result<Response<Answer>, Status> {
        Ok(Response::new(ask_for(ask.into_inner())?))
    }

    async fn upload(&self, asks: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        let ask = last(asks.into_inner()).await?;
        return Err(fail(ask.count).into());
    }

    type WatchStream = Boxed;

    async fn watch(&self, ask: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        let messages = vec![Ok(Answer::default()), ask_for(ask.into_inner())];
        Ok(Response::new(Box::pin(tokio_stream::iter(messages).map(|result| Ok(result?)))))
    }

    type ChatStream = Boxed;

    async fn chat(&self, asks: Request<Streaming<Ask>>) -> Result<Response<Boxed>, Status> {
        let ask = last(asks.into_inner()).await?;
        Err(fail(ask.count))?
    }
}

/// The errors of a layer below, inside this one's.
pub(crate) struct Nested(pub(crate) GrpcMetrics);

#[instrument_grpc(service = "own.nested", metrics = self.0)]
#[tonic::async_trait]
impl stubs::shapes_server::Shapes for Nested {
    async fn one(&self, ask: Request<stubs::Ask>) -> Answered<stubs::Answer, OuterError> {
        let error = ask.into_inner().count;
        if error == 100 {
            return Err(OuterError::Conflict);
        }
        Err(fail(error))?
    }
}

/// An error whose conversion panics.
pub(crate) struct Panics(pub(crate) GrpcMetrics);

#[instrument_grpc(service = "own.panics", metrics = self.0)]
#[tonic::async_trait]
impl stubs::shapes_server::Shapes for Panics {
    async fn one(&self, _: Request<stubs::Ask>) -> Answered<stubs::Answer, PanicsInto> {
        Err(PanicsInto)
    }
}

/// Statuses made by hand around an error, and a stream whose error's conversion panics.
pub(crate) struct ByHand(pub(crate) GrpcMetrics);

#[instrument_grpc(service = "own.by_hand", metrics = self.0)]
#[tonic::async_trait]
impl Shapes for ByHand {
    async fn one(&self, ask: Request<Ask>) -> Result<Response<Answer>, Status> {
        let code = if ask.into_inner().count == 0 { Code::Internal } else { Code::Ok };
        let mut status = Status::new(code, "by hand");
        status.set_source(Arc::new(NeverConverted));
        Err(status)
    }

    #[skip_metrics]
    async fn upload(&self, _: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    type WatchStream = Answers<PanicsInto>;

    async fn watch(&self, _: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(tokio_stream::iter(vec![Err(PanicsInto)])))
    }

    type ChatStream = Boxed;

    #[skip_metrics]
    async fn chat(&self, _: Request<Streaming<Ask>>) -> Result<Response<Boxed>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}
