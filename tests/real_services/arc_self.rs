//! `self: Arc<Self>` with `tonic::Result`, state behind locks, and streams that outlive the call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use grpc_metrics_runtime::{GrpcMetrics, MethodSnapshot, instrument_grpc};
use real_services::library::{self, library_client::LibraryClient};
use real_services::library_arc::library_server::{Library, LibraryServer};
use real_services::library_arc::{Book, BookRequest};
use support::shapes::{codes, counted, serve};
use support::wait::until_eq;
use tokio::sync::broadcast;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

struct Shelf {
    books: Mutex<BTreeMap<String, Book>>,
    news: broadcast::Sender<Book>,
}

#[tonic::async_trait]
#[instrument_grpc(service = "arc.library.v1.Library")]
impl Library for Shelf {
    async fn get_book(
        self: Arc<Self>,
        request: Request<BookRequest>,
    ) -> tonic::Result<Response<Book>> {
        let id = request.into_inner().id;
        let books = self.books.lock().map_err(|_| Status::internal("poisoned"))?;
        let book = books.get(&id).cloned();
        book.map(Response::new).ok_or_else(|| Status::not_found(id))
    }

    type ListBooksStream = ReceiverStream<tonic::Result<Book>>;

    async fn list_books(
        self: Arc<Self>,
        _request: Request<BookRequest>,
    ) -> tonic::Result<Response<Self::ListBooksStream>> {
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        tokio::spawn(async move {
            let books: Vec<Book> = match self.books.lock() {
                Ok(books) => books.values().cloned().collect(),
                Err(_) => return,
            };
            for book in books {
                if sender.send(Ok(book)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    // The stream type of another method, by name.
    type FollowBooksStream = Self::ListBooksStream;

    async fn follow_books(
        self: Arc<Self>,
        _: Request<BookRequest>,
    ) -> tonic::Result<Response<Self::ListBooksStream>> {
        let mut news = self.news.subscribe();
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        tokio::spawn(async move {
            while let Ok(book) = news.recv().await {
                if sender.send(Ok(book)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(Self::FollowBooksStream::new(receiver)))
    }

    async fn import_books(
        self: Arc<Self>,
        request: Request<Streaming<Book>>,
    ) -> tonic::Result<Response<Book>> {
        let mut incoming = request.into_inner();
        let mut last = None;
        while let Some(book) = incoming.message().await? {
            if book.id.is_empty() {
                return Err(Status::invalid_argument("a book without an id"));
            }
            let mut books = self.books.lock().map_err(|_| Status::internal("poisoned"))?;
            books.insert(book.id.clone(), book.clone());
            // Nobody may be listening.
            let _ = self.news.send(book.clone());
            last = Some(book);
        }
        last.map(Response::new).ok_or_else(|| Status::failed_precondition("no books"))
    }
}

fn book(id: &str) -> library::Book {
    library::Book { id: id.into(), title: format!("On {id}") }
}

#[tokio::test]
async fn a_library_behind_an_arc() {
    let shelf = Shelf { books: Mutex::default(), news: broadcast::channel(8).0 };
    let channel = serve(Routes::new(LibraryServer::new(shelf))).await;
    let mut client = LibraryClient::new(channel);

    let mut follow =
        client.follow_books(library::BookRequest::default()).await.unwrap().into_inner();
    client.import_books(tokio_stream::iter([book("a"), book("b")])).await.unwrap();
    let wrong = client.import_books(tokio_stream::iter([book("")])).await.map_err(|s| s.code());
    assert_eq!(wrong.err(), Some(Code::InvalidArgument));
    let none = client.import_books(tokio_stream::iter([])).await.map_err(|s| s.code());
    assert_eq!(none.err(), Some(Code::FailedPrecondition));

    assert_eq!(follow.message().await.unwrap(), Some(book("a")));
    assert_eq!(follow.message().await.unwrap(), Some(book("b")));
    drop(follow);

    let request = |id: &str| library::BookRequest { id: id.into() };
    assert_eq!(client.get_book(request("a")).await.unwrap().into_inner(), book("a"));
    assert!(client.get_book(request("z")).await.is_err());
    let list = client.list_books(request("")).await.unwrap().into_inner();
    assert_eq!(list.collect::<Vec<_>>().await.len(), 2);

    let label = "arc.library.v1.Library";
    assert_eq!(codes(label, "GetBook"), [(Code::Ok, 1), (Code::NotFound, 1)]);
    assert_eq!(codes(label, "ListBooks"), [(Code::Ok, 1)]);
    assert_eq!(counted(label, "ListBooks").messages_sent(), 2);
    let imports = [(Code::Ok, 1), (Code::InvalidArgument, 1), (Code::FailedPrecondition, 1)];
    assert_eq!(codes(label, "ImportBooks"), imports);
    // The server sees some time later that nobody follows any more.
    let followed = || {
        let snapshot = GrpcMetrics::global().snapshot();
        snapshot.method(label, "FollowBooks").map(MethodSnapshot::finished)
    };
    until_eq(followed, Some(1)).await;
    assert_eq!(codes(label, "FollowBooks"), [(Code::Cancelled, 1)]);
}
