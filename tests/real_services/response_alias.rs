//! A crate whose `Response<T>` is the whole `Result`, and whose errors become statuses by `?`.

use std::pin::Pin;

use grpc_metrics_runtime::instrument_grpc;
use real_services::library::library_client::LibraryClient;
use real_services::library::{Book, BookRequest, library_server};
use support::shapes::{codes, serve};
use tokio_stream::{Stream, StreamExt};
use tonic::service::Routes;
use tonic::{Code, Request, Streaming};

type Response<T> = Result<tonic::Response<T>, tonic::Status>;
type ResponseStream<T> = Pin<Box<dyn Stream<Item = Result<T, tonic::Status>> + Send>>;
type Result<T, E = Error> = std::result::Result<T, E>;

/// The crate's own error, which the handlers' helpers return.
#[derive(Debug)]
enum Error {
    Unknown(String),
    Closed,
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown(id) => Self::not_found(id),
            Error::Closed => Self::unavailable("closed"),
        }
    }
}

struct Desk;

impl Desk {
    fn find(id: String) -> Result<Book> {
        match id.as_str() {
            "closed" => Err(Error::Closed),
            "known" => Ok(Book { title: format!("On {id}"), id }),
            _ => Err(Error::Unknown(id)),
        }
    }
}

#[instrument_grpc(service = "alias.Library")]
#[tonic::async_trait]
impl library_server::Library for Desk {
    async fn get_book(&self, request: Request<BookRequest>) -> Response<Book> {
        let book = Desk::find(request.into_inner().id)?;
        Ok(tonic::Response::new(book))
    }

    type ListBooksStream = ResponseStream<Book>;
    async fn list_books(&self, request: Request<BookRequest>) -> Response<ResponseStream<Book>> {
        let id = request.into_inner().id;
        let found = [Desk::find("known".into()), Desk::find(id)];
        let books = found.into_iter().map(|book| book.map_err(Into::into));
        Ok(tonic::Response::new(Box::pin(tokio_stream::iter(books))))
    }

    type FollowBooksStream = ResponseStream<Book>;
    async fn follow_books(
        &self,
        request: Request<BookRequest>,
    ) -> Response<Self::FollowBooksStream> {
        let book = Desk::find(request.into_inner().id)?;
        let books: Self::FollowBooksStream = Box::pin(tokio_stream::once(Ok(book)));
        Ok(books.into())
    }

    async fn import_books(&self, request: Request<Streaming<Book>>) -> Response<Book> {
        let books = request.into_inner().collect::<Result<Vec<_>, _>>().await?;
        Ok(Desk::find(books.into_iter().map(|book| book.id).collect())?.into())
    }
}

#[tokio::test]
async fn a_response_that_is_the_whole_result() {
    let service = library_server::LibraryServer::new(Desk);
    let mut client = LibraryClient::new(serve(Routes::new(service)).await);
    let request = |id: &str| BookRequest { id: id.into() };
    for id in ["known", "closed", "lost"] {
        let _ = client.get_book(request(id)).await;
        if let Ok(stream) = client.list_books(request(id)).await {
            let _: Vec<_> = stream.into_inner().collect().await;
        }
        if let Ok(stream) = client.follow_books(request(id)).await {
            let _: Vec<_> = stream.into_inner().collect().await;
        }
        let book = Book { id: id.into(), title: String::new() };
        let _ = client.import_books(tokio_stream::iter([book])).await;
    }
    for method in ["GetBook", "ListBooks", "FollowBooks", "ImportBooks"] {
        let each = [(Code::Ok, 1), (Code::NotFound, 1), (Code::Unavailable, 1)];
        assert_eq!(codes("alias.Library", method), each, "{method}");
    }
}
