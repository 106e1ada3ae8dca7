//! An impl made by `macro_rules!`: the body is one token tree, methods come and go by `#[cfg]`.

use grpc_metrics_runtime::instrument_grpc;
use real_services::library::library_client::LibraryClient;
use real_services::library::library_server::{Library, LibraryServer};
use real_services::library::{Book, BookRequest};
use support::shapes::{codes, serve};
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

macro_rules! library_for {
    ($service:ty, $label:expr, $body:tt) => {
        #[instrument_grpc(service = $label)]
        #[tonic::async_trait]
        impl Library for $service $body
    };
}

macro_rules! fail {
    ($code:ident, $($message:tt)+) => {
        return Err(Status::$code(format!($($message)+)))
    };
}

struct Plain {
    title: &'static str,
}

library_for!(Plain, concat!("macro", ".Library"), {
    #[cfg(any())]
    async fn get_book(&self, _: Request<Missing>) -> Result<Response<Missing>, Status> {
        missing
    }

    #[cfg(not(any()))]
    async fn get_book(&self, request: Request<BookRequest>) -> Result<Response<Book>, Status> {
        let id = request.into_inner().id;
        if id.is_empty() {
            fail!(invalid_argument, "{} needs an id", self.title);
        }
        Ok(Response::new(Book { id, title: self.title.to_owned() }))
    }

    type ListBooksStream = tokio_stream::Once<Result<Book, Status>>;
    async fn list_books(
        &self,
        request: Request<BookRequest>,
    ) -> Result<Response<Self::ListBooksStream>, Status> {
        let book = self.get_book(request).await?.into_inner();
        Ok(Response::new(tokio_stream::once(Ok(book))))
    }

    type FollowBooksStream = tokio_stream::Empty<Result<Book, Status>>;
    #[cfg_attr(all(), allow(unused_variables))]
    async fn follow_books(
        &self,
        request: Request<BookRequest>,
    ) -> Result<Response<Self::FollowBooksStream>, Status> {
        fail!(unimplemented, "nothing to follow")
    }

    async fn import_books(&self, _: Request<Streaming<Book>>) -> Result<Response<Book>, Status> {
        fail!(permission_denied, "{} is full", self.title)
    }
});

#[tokio::test]
async fn a_library_made_by_a_macro() {
    let channel = serve(Routes::new(LibraryServer::new(Plain { title: "Shelf" }))).await;
    let mut client = LibraryClient::new(channel);
    let request = |id: &str| BookRequest { id: id.into() };
    assert_eq!(client.get_book(request("a")).await.unwrap().into_inner().title, "Shelf");
    let missing = client.get_book(request("")).await.map_err(|status| status.message().to_owned());
    assert_eq!(missing.err().as_deref(), Some("Shelf needs an id"));
    let mut list = client.list_books(request("b")).await.unwrap().into_inner();
    while list.message().await.unwrap().is_some() {}
    assert!(client.list_books(request("")).await.is_err());
    assert!(client.follow_books(request("")).await.is_err());
    assert!(client.import_books(tokio_stream::iter([])).await.is_err());

    let label = "macro.Library";
    // `list_books` calls `get_book`, a method that is measured itself.
    assert_eq!(codes(label, "GetBook"), [(Code::Ok, 2), (Code::InvalidArgument, 2)]);
    assert_eq!(codes(label, "ListBooks"), [(Code::Ok, 1), (Code::InvalidArgument, 1)]);
    assert_eq!(codes(label, "FollowBooks"), [(Code::Unimplemented, 1)]);
    assert_eq!(codes(label, "ImportBooks"), [(Code::PermissionDenied, 1)]);
}
