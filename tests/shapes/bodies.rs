//! E10: whatever is in a body stays as it is.

use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::shapes_server::{Shapes, ShapesServer};
use support::shapes::pb::{Answer, Ask};
use support::shapes::{answer, answers, check_shapes, codes, last};
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

/// Returns from the handler, as people's macros do.
macro_rules! bail_unless {
    ($condition:expr, $status:expr) => {
        if !$condition {
            return Err($status);
        }
    };
}

macro_rules! try_answer {
    ($ask:expr) => {
        answer($ask)?
    };
}

struct Busy;

#[instrument_grpc(service = "e10.busy")]
#[tonic::async_trait]
impl Shapes for Busy {
    async fn one(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        use nested::Nested;
        const LIMIT: u32 = 100;
        static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        mod nested {
            pub(super) struct Nested<T>(pub(super) T);
            impl<T> Nested<T> {
                pub(super) fn into_inner(self) -> T {
                    let Self(inner) = self;
                    inner
                }
            }
        }
        macro_rules! respond {
            ($answer:expr) => {
                return Ok(Response::new($answer))
            };
        }
        async fn wait<T>(value: T) -> T {
            tokio::task::yield_now().await;
            value
        }

        CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let ask = wait(Nested(request.into_inner()).into_inner()).await;
        bail_unless!(ask.count <= LIMIT, Status::out_of_range("too many"));
        respond!(try_answer!(ask));
    }

    async fn upload(&self, request: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        let never = std::future::pending::<()>();
        tokio::select! {
            ask = last(request.into_inner()) => {
                let answer = answer(ask?)?;
                return Ok(Response::new(answer));
            }
            () = never => {}
        }
        todo!("nothing comes here")
    }

    type WatchStream = tokio_stream::Iter<std::vec::IntoIter<Result<Answer, Status>>>;
    async fn watch(&self, request: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        let make = |ask: Ask| -> Result<Self::WatchStream, Status> {
            let answers = answers(ask);
            if answers.is_empty() {
                return Err(Status::not_found("no answers"));
            }
            Ok(tokio_stream::iter(answers))
        };
        let stream = async move {
            let stream = make(request.into_inner())?;
            Ok::<Self::WatchStream, Status>(stream)
        };
        let label = 'found: {
            if cfg!(any()) {
                break 'found "never";
            }
            "always"
        };
        assert_eq!(label, "always");
        stream.await.map(Response::new)
    }

    type ChatStream = Self::WatchStream;
    async fn chat(
        &self,
        request: Request<Streaming<Ask>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        let (ask, ()) = tokio::try_join!(last(request.into_inner()), async { Ok(()) })?;
        let boxed: Box<dyn Fn() -> Self::ChatStream + Send> =
            Box::new(move || tokio_stream::iter(answers(ask)));
        let responses = vec![boxed()];
        for stream in responses {
            if ask.count > 0 {
                return Ok(Response::new(stream));
            }
        }
        unreachable!()
    }
}

#[tokio::test]
async fn e10_nested_items_closures_and_macros() {
    check_shapes(Routes::new(ShapesServer::new(Busy)), "e10.busy").await;
}

struct Unfinished;

#[instrument_grpc(service = "e10.unfinished")]
#[tonic::async_trait]
impl support::shapes::pb::plain_server::Plain for Unfinished {
    async fn first(&self, _request: Request<Ask>) -> Result<Response<Answer>, Status> {
        todo!()
    }

    async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        let code = request.into_inner().code;
        Err(Status::new(Code::from(code), "never well"))
    }
}

#[tokio::test]
async fn e10_todo() {
    use support::shapes::pb::plain_server::Plain;
    let handler = tokio::spawn(async { Unfinished.first(Request::new(Ask::default())).await });
    assert!(handler.await.is_err_and(|error| error.is_panic()));
    assert_eq!(codes("e10.unfinished", "First"), [(Code::Unknown, 1)]);
    let request = Request::new(Ask { count: 0, code: 7 });
    assert!(Unfinished.second(request).await.is_err());
    assert_eq!(codes("e10.unfinished", "Second"), [(Code::PermissionDenied, 1)]);
}
