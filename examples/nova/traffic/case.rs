//! A case: one call, or a few that depend on each other, with the expected result.

use std::{pin::Pin, sync::Arc, time::Duration};

use tokio::time::{self, Instant};
use tonic::{Code, Request, Response, Status, Streaming};
use tracing::{Instrument, info_span};

use super::tally::{Rpc, Tally};
use crate::weather::Weather;
use Seen::{Answer, GaveUp};

/// The deadline that clients set. The server's tolerance is a tenth of it.
const DEADLINE: Duration = Duration::from_millis(500);
/// Time after which an impatient client cancels.
const PATIENCE: Duration = Duration::from_millis(40);

/// What a client saw of its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Answer(Code),
    /// No result: the client cancelled.
    GaveUp,
}

type Run = Box<dyn FnOnce(Caller) -> Pin<Box<dyn Future<Output = Seen> + Send>> + Send>;

pub(super) struct Case {
    pub(super) rpc: Rpc,
    pub(super) weather: Weather,
    pub(super) expected: Seen,
    run: Run,
}

impl Case {
    pub(super) async fn run(self, tally: &Arc<Tally>) -> Seen {
        let (service, method) = self.rpc;
        let span = info_span!(
            "call",
            otel.name = %format_args!("{service}/{method}"),
            otel.kind = "client",
            rpc.system.name = "grpc",
        );
        (self.run)(Caller { tally: Arc::clone(tally), rpc: self.rpc }).instrument(span).await
    }
}

/// The cases of one service.
pub(super) struct Script<C> {
    service: &'static str,
    client: C,
    cases: Vec<Case>,
}

impl<C: Clone + Send + 'static> Script<C> {
    pub(super) fn new(service: &'static str, client: C) -> Self {
        Self { service, client, cases: Vec::new() }
    }

    pub(super) fn done(self) -> Vec<Case> {
        self.cases
    }

    /// Cases of one call each.
    pub(super) fn unary<Q, R, F, Fut>(
        &mut self,
        method: &'static str,
        send: F,
        calls: impl IntoIterator<Item = Call<Q>>,
    ) where
        Q: Send + 'static,
        F: FnOnce(C, Request<Q>) -> Fut + Copy + Send + 'static,
        Fut: Future<Output = Result<Response<R>, Status>> + Send,
    {
        for Call { message, weather, expected, manner, token } in calls {
            self.case(method, weather, expected, move |client, caller| async move {
                let mut request = with_token(message, token.as_deref());
                if manner == Manner::Deadline {
                    request.set_timeout(DEADLINE);
                }
                let answer = send(client, request);
                match manner {
                    Manner::Wait => caller.wait(answer).await,
                    Manner::Deadline => caller.wait_until_deadline(answer).await,
                    Manner::Abort => caller.abort(answer).await,
                }
            });
        }
    }

    /// Any other case.
    pub(super) fn case<F, Fut>(
        &mut self,
        method: &'static str,
        weather: Weather,
        expected: Seen,
        run: F,
    ) where
        F: FnOnce(C, Caller) -> Fut + Send + 'static,
        Fut: Future<Output = Seen> + Send + 'static,
    {
        let client = self.client.clone();
        let run: Run = Box::new(move |caller| Box::pin(run(client, caller)));
        self.cases.push(Case { rpc: (self.service, method), weather, expected, run });
    }
}

/// A unary call.
pub(super) struct Call<Q> {
    message: Q,
    weather: Weather,
    expected: Seen,
    manner: Manner,
    token: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Wait,
    Deadline,
    Abort,
}

impl<Q> Call<Q> {
    fn new(message: Q, weather: Weather, expected: Seen, manner: Manner) -> Self {
        Self { message, weather, expected, manner, token: None }
    }

    /// With this access token.
    pub(super) fn by(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }
}

pub(super) fn ok<Q>(message: Q) -> Call<Q> {
    fails(Code::Ok, message)
}

/// Ends with this code, because of the request's content.
pub(super) fn fails<Q>(code: Code, message: Q) -> Call<Q> {
    Call::new(message, Weather::Fair, Answer(code), Manner::Wait)
}

pub(super) fn invalid<Q>(message: Q) -> Call<Q> {
    fails(Code::InvalidArgument, message)
}

pub(super) fn missing<Q>(message: Q) -> Call<Q> {
    fails(Code::NotFound, message)
}

pub(super) fn without_database<Q>(message: Q) -> Call<Q> {
    Call::new(message, Weather::DatabaseDown, Answer(Code::Internal), Manner::Wait)
}

pub(super) fn without_cache<Q>(code: Code, message: Q) -> Call<Q> {
    Call::new(message, Weather::CacheDown, Answer(code), Manner::Wait)
}

/// With a deadline that is exceeded.
pub(super) fn too_late<Q>(message: Q) -> Call<Q> {
    Call::new(message, Weather::Slow, Answer(Code::DeadlineExceeded), Manner::Deadline)
}

/// By a client that cancels midway.
pub(super) fn aborted<Q>(message: Q) -> Call<Q> {
    Call::new(message, Weather::Slow, GaveUp, Manner::Abort)
}

pub(super) fn with_token<Q>(message: Q, token: Option<&str>) -> Request<Q> {
    let mut request = Request::new(message);
    let header = token.and_then(|token| format!("Bearer {token}").parse().ok());
    if let Some(header) = header {
        request.metadata_mut().insert("authorization", header);
    }
    request
}

/// Makes calls as different kinds of clients do, and counts how they end.
pub(super) struct Caller {
    tally: Arc<Tally>,
    rpc: Rpc,
}

impl Caller {
    /// For another method of the service that the case also calls.
    pub(super) fn of(&self, method: &'static str) -> Self {
        Self { tally: Arc::clone(&self.tally), rpc: (self.rpc.0, method) }
    }

    /// Waits for the response.
    pub(super) async fn get<R>(
        &self,
        answer: impl Future<Output = Result<Response<R>, Status>>,
    ) -> Result<R, Code> {
        let answer = answer.await;
        match answer {
            Ok(response) => {
                self.answered(Code::Ok);
                Ok(response.into_inner())
            }
            Err(status) => {
                self.answered(status.code());
                Err(status.code())
            }
        }
    }

    /// Waits for the response and discards it.
    pub(super) async fn wait<R>(
        &self,
        answer: impl Future<Output = Result<Response<R>, Status>>,
    ) -> Seen {
        Answer(self.get(answer).await.err().unwrap_or(Code::Ok))
    }

    /// Waits for the response to a request with a deadline. Client and server both have a timer. If the
    /// client's fires first, the client sees its own CANCELLED.
    async fn wait_until_deadline<R>(
        &self,
        answer: impl Future<Output = Result<Response<R>, Status>>,
    ) -> Seen {
        let code = match answer.await.map_err(|status| status.code()) {
            Ok(_) => Code::Ok,
            Err(Code::Cancelled) => Code::DeadlineExceeded,
            Err(code) => code,
        };
        self.answered(code)
    }

    /// Drops the call unless it completes soon.
    pub(super) async fn abort<R>(
        &self,
        answer: impl Future<Output = Result<Response<R>, Status>>,
    ) -> Seen {
        if let Ok(seen) = time::timeout(PATIENCE, self.wait(answer)).await {
            return seen;
        }
        self.gave_up(false)
    }

    /// Reads the stream to its end.
    pub(super) async fn read<R>(
        &self,
        answer: impl Future<Output = Result<Response<Streaming<R>>, Status>>,
    ) -> Seen {
        self.read_up_to(usize::MAX, answer).await
    }

    /// Drops the stream after this many messages.
    pub(super) async fn read_up_to<R>(
        &self,
        messages: usize,
        answer: impl Future<Output = Result<Response<Streaming<R>>, Status>>,
    ) -> Seen {
        let mut stream = match answer.await {
            Ok(response) => response.into_inner(),
            Err(status) => return self.answered(status.code()),
        };
        for _ in 0..messages {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => return self.answered(Code::Ok),
                Err(status) => return self.answered(status.code()),
            }
        }
        self.gave_up(true)
    }

    /// Reads the stream until the request's deadline has passed, also on the server's clock. tonic ends a
    /// stream that has begun on neither side.
    pub(super) async fn read_until_deadline<Q, R, Fut>(
        &self,
        mut request: Request<Q>,
        send: impl FnOnce(Request<Q>) -> Fut,
    ) -> Seen
    where
        Fut: Future<Output = Result<Response<Streaming<R>>, Status>>,
    {
        request.set_timeout(DEADLINE);
        let mut stream = match send(request).await.map_err(|status| status.code()) {
            Ok(response) => response.into_inner(),
            Err(Code::Cancelled) => return self.answered(Code::DeadlineExceeded),
            Err(code) => return self.answered(code),
        };
        // Counted from the response: by then, the server's timer has long been running.
        let end = Instant::now() + DEADLINE;
        loop {
            match time::timeout_at(end, stream.message()).await {
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => return self.answered(Code::Ok),
                Ok(Err(status)) => return self.answered(status.code()),
                Err(_) => return self.answered(Code::DeadlineExceeded),
            }
        }
    }

    fn answered(&self, code: Code) -> Seen {
        self.tally.answered(self.rpc, code);
        Answer(code)
    }

    fn gave_up(&self, reached: bool) -> Seen {
        self.tally.gave_up(self.rpc, reached);
        GaveUp
    }
}
