//! Contract, section J: a program with the features and without a subscriber. What that may cost is in
//! `cost.rs`, where all features are on.

use support::bed::Bed;
use support::clients::Kind;
use support::script::{script, send};
use tonic::Code;
use traces::{Caller, exemplars};

#[tokio::test]
async fn j7_without_a_subscriber_there_is_no_exemplar() {
    let bed = Bed::new().await;
    for kind in Kind::ALL {
        let request = Caller::new(true).request(script([], [send()]));
        assert_eq!(support::clients::call(&bed.channel, kind, request).await.code(), Code::Ok);
        assert_eq!(exemplars(&bed, kind), []);
    }
    bed.close(&Kind::ALL.map(|kind| (kind, Code::Ok, 1))).await;
}
