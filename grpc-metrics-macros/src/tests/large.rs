//! Services of many RPCs.

use std::fmt::Write as _;

use proc_macro2::TokenStream;

use crate::syntax::names;

/// An impl with this many response streams.
fn service(streams: usize) -> TokenStream {
    let mut item = String::from("impl Svc for X {");
    for i in 0..streams {
        let _ = write!(
            item,
            "type Watch{i}Stream = A;
            async fn watch{i}(&self, _: Request<B>) -> Result<Response<Self::Watch{i}Stream>, Status> {{ a }}"
        );
    }
    item.push('}');
    item.parse().expect("an item")
}

/// Each type's name is converted once. When every method converted them all, 2,000 streams took 15 seconds.
#[test]
fn names_are_converted_once_however_many_there_are() {
    let read = |streams| {
        let before = names::SNAKED.get();
        crate::instrument::instrument(TokenStream::new(), service(streams));
        names::SNAKED.get() - before
    };
    let (some, more) = (read(20), read(200));
    assert!(some > 0);
    assert_eq!(more, 10 * some);
}
