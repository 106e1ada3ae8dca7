//! The service that does what its requests say, once with the attribute and once without.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;

use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc};
use tokio::time::sleep;
use tokio_stream::Stream;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::pb::scripted_server;
use crate::pb::step::Step as Do;
use crate::pb::{Fail, Reply, Script, Step, Way};
use crate::stage::Stage;

/// The service label of [`Scripted`].
pub const SERVICE: &str = scripted_server::SERVICE_NAME;

/// With the attribute.
#[derive(Clone, Debug)]
pub struct Scripted {
    pub metrics: GrpcMetrics,
    pub stage: Stage,
}

/// Without.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    pub stage: Stage,
}

/// How the steps of a handler came out.
enum Outcome {
    Well,
    Failed(Way, Status),
}

macro_rules! bail {
    ($status:expr) => {
        return Err($status)
    };
}

/// Gives the outcome in the way that the script wants, as `unary` shows.
macro_rules! answer {
    ($outcome:expr, $message:expr) => {
        match $outcome {
            Outcome::Failed(Way::QuestionMark, status) => Err(status)?,
            Outcome::Failed(Way::Return, status) => return Err(status),
            Outcome::Failed(Way::Macro, status) => bail!(status),
            Outcome::Failed(Way::Tail, status) => Err(status),
            Outcome::Well => Ok(reply($message)),
        }
    };
}

/// One body for both, so that they differ in the attribute alone.
macro_rules! scripted {
    ($(#[$attribute:meta])* $service:ident) => {
        $(#[$attribute])*
        #[tonic::async_trait]
        #[allow(clippy::needless_return)] // all ways there are
        impl scripted_server::Scripted for $service {
            async fn unary(&self, request: Request<Script>) -> Result<Response<Reply>, Status> {
                let (outcome, _) = play(&self.stage, Source::One(request.into_inner())).await?;
                match outcome {
                    Outcome::Failed(Way::QuestionMark, status) => Err(status)?,
                    Outcome::Failed(Way::Return, status) => return Err(status),
                    Outcome::Failed(Way::Macro, status) => bail!(status),
                    Outcome::Failed(Way::Tail, status) => Err(status),
                    Outcome::Well => Ok(reply(Reply { number: 1 })),
                }
            }

            async fn upload(
                &self,
                request: Request<Streaming<Script>>,
            ) -> Result<Response<Reply>, Status> {
                let (outcome, _) = play(&self.stage, Source::Many(request.into_inner())).await?;
                answer!(outcome, Reply { number: 1 })
            }

            type WatchStream = ScriptedStream;

            async fn watch(
                &self,
                request: Request<Script>,
            ) -> Result<Response<Self::WatchStream>, Status> {
                let (outcome, stream) = play(&self.stage, Source::One(request.into_inner())).await?;
                answer!(outcome, ScriptedStream::new(&self.stage, stream))
            }

            type ChatStream = ScriptedStream;

            async fn chat(
                &self,
                request: Request<Streaming<Script>>,
            ) -> Result<Response<Self::ChatStream>, Status> {
                let (outcome, stream) =
                    play(&self.stage, Source::Many(request.into_inner())).await?;
                answer!(outcome, ScriptedStream::new(&self.stage, stream))
            }
        }
    };
}

scripted! {
    #[instrument_grpc(service = scripted_server::SERVICE_NAME, metrics = self.metrics)]
    Scripted
}
scripted!(Plain);

/// Where a handler has its script from.
enum Source {
    One(Script),
    /// From the first message; without one there is nothing to do.
    Many(Streaming<Script>),
}

/// Does the handler's steps, and gives those of its stream.
async fn play(stage: &Stage, source: Source) -> Result<(Outcome, Vec<Step>), Status> {
    stage.enter();
    let (script, mut more) = match source {
        Source::One(script) => (script, None),
        Source::Many(mut messages) => {
            (messages.message().await?.unwrap_or_default(), Some(messages))
        }
    };
    let mut bomb = Bomb(None);
    for step in script.handler {
        match step.step {
            Some(Do::Fail(fail)) => {
                return Ok((Outcome::Failed(fail.way(), status(fail)), Vec::new()));
            }
            Some(Do::Drain(_)) => {
                stage.wait_here();
                while let Some(more) = &mut more
                    && more.message().await?.is_some()
                {}
            }
            step => pause(stage.clone(), step, &mut bomb).await,
        }
    }
    Ok((Outcome::Well, script.stream))
}

/// A step that handlers and streams do alike.
fn pause(
    stage: Stage,
    step: Option<Do>,
    bomb: &mut Bomb,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    match step {
        Some(Do::Panic(id)) => panic!("{}", panic_message(id)),
        Some(Do::PanicInDrop(id)) => {
            bomb.0 = Some(id);
            Box::pin(async {})
        }
        Some(Do::WaitMillis(millis)) => Box::pin(sleep(Duration::from_millis(millis.into()))),
        Some(Do::Hang(id)) => Box::pin(async move {
            stage.hang_here(id);
            std::future::pending::<()>().await;
        }),
        Some(Do::Gate(_)) => Box::pin(async move {
            stage.wait_here();
            stage.gate().await;
        }),
        Some(Do::Block(_)) => Box::pin(async move {
            stage.wait_here();
            stage.block();
        }),
        step => unreachable!("no such step here: {step:?}"),
    }
}

/// What a scripted panic says.
pub fn panic_message(id: u32) -> String {
    format!("scripted panic <{id}>")
}

/// Panics when dropped, if it has a number.
#[derive(Debug)]
struct Bomb(Option<u32>);

impl Drop for Bomb {
    fn drop(&mut self) {
        if let Some(id) = self.0
            && !thread::panicking()
        {
            panic!("{}", panic_message(id));
        }
    }
}

/// A response with metadata.
fn reply<T>(message: T) -> Response<T> {
    let mut response = Response::new(message);
    *response.metadata_mut() = metadata("reply");
    response
}

/// A status with all that a status can have.
fn status(fail: Fail) -> Status {
    let code = Code::from(fail.code);
    let message = format!("scripted failure {}", fail.code);
    Status::with_details_and_metadata(code, message, "details".into(), metadata("failure"))
}

fn metadata(of: &'static str) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    metadata.insert("x-scripted", MetadataValue::from_static(of));
    metadata.insert_bin("x-scripted-bin", MetadataValue::from_bytes(&[0, 255]));
    metadata
}

/// A stream that does its steps, and ends when there are no more, as often as it is asked.
pub struct ScriptedStream {
    stage: Stage,
    steps: VecDeque<Step>,
    sent: u64,
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    bomb: Bomb,
}

impl ScriptedStream {
    fn new(stage: &Stage, steps: Vec<Step>) -> Self {
        Self { stage: stage.clone(), steps: steps.into(), sent: 0, pause: None, bomb: Bomb(None) }
    }
}

impl Stream for ScriptedStream {
    type Item = Result<Reply, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.stage.poll_stream();
        loop {
            if let Some(pause) = &mut this.pause {
                ready!(pause.as_mut().poll(cx));
                this.pause = None;
            }
            match this.steps.pop_front().map(|step| step.step) {
                None => return Poll::Ready(None),
                Some(Some(Do::Send(_))) => {
                    this.sent += 1;
                    return Poll::Ready(Some(Ok(Reply { number: this.sent })));
                }
                Some(Some(Do::Fail(fail))) => return Poll::Ready(Some(Err(status(fail)))),
                Some(step) => {
                    this.pause = Some(pause(this.stage.clone(), step, &mut this.bomb));
                }
            }
        }
    }
}

impl Drop for ScriptedStream {
    fn drop(&mut self) {
        self.stage.drop_stream();
    }
}

impl fmt::Debug for ScriptedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedStream")
            .field("steps", &self.steps)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}
