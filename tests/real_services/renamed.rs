//! Contract, E3: crates that know tonic and the metrics by other names only.

use facade::shapes::pb::plain_server::PlainServer;
use facade::shapes::pb::shapes_server::ShapesServer;
use facade::shapes::{check_plain, check_shapes};
use facade::tonic::service::Routes;
use facade_user::{renamed, through_the_facade};

#[tokio::test]
async fn e3_through_a_facade() {
    let routes = Routes::new(ShapesServer::new(through_the_facade::Service));
    check_shapes(routes, "facade_user.facade").await;
    let routes = Routes::new(PlainServer::new(through_the_facade::ByMacro));
    check_plain(routes, "facade_user.macro").await;
}

#[tokio::test]
async fn e3_a_renamed_runtime() {
    let routes = Routes::new(PlainServer::new(renamed::Service));
    check_plain(routes, "facade_user.renamed").await;
    let routes = Routes::new(PlainServer::new(renamed::Second));
    check_plain(routes, "facade_user.module").await;
}
