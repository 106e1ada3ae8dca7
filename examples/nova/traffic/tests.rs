//! Nova's methods end as specified, and the traffic covers every ending of every method.

use std::collections::{BTreeMap, BTreeSet};

use tokio::net::TcpListener;

use super::{case::Seen, *};
use crate::{peers::Peers, server, store::Store};

/// Every method with the codes that it must return.
const SPECIFIED: [(&str, &[&str], &[i32]); 18] = [
    ("messaging", &["SendMessage"], &[0, 3, 5, 13, 14, 16]),
    ("messaging", &["GetMessage"], &[0, 3, 13, 16]),
    ("messaging", &["CreateConversation"], &[0, 3, 5, 6, 13, 14, 16]),
    ("messaging", &["WatchConversation"], &[0, 3, 4, 5, 13, 14, 16]),
    ("auth", &["Register"], &[0, 3, 6, 13, 14]),
    ("auth", &["Login", "RefreshToken", "VerifyToken"], &[0, 3, 7, 13, 14, 16]),
    (
        "user",
        &[
            "GetUserProfile",
            "GetUserProfilesByIds",
            "UpdateUserProfile",
            "GetUserSettings",
            "UpdateUserSettings",
            "FollowUser",
            "UnfollowUser",
            "BlockUser",
            "UnblockUser",
            "GetUserFollowers",
            "GetUserFollowing",
            "CheckUserRelationship",
            "SearchUsers",
        ],
        &[0, 3, 5, 13],
    ),
    (
        "content",
        &[
            "GetPost",
            "CreatePost",
            "UpdatePost",
            "DeletePost",
            "GetPostsByAuthor",
            "GetComments",
            "CreateComment",
            "LikePost",
            "UploadMedia",
        ],
        &[0, 3, 5, 13],
    ),
    ("feed", &["GetFeed", "RankPosts"], &[0, 3, 13]),
    ("feed", &["GetRecommendedCreators", "InvalidateFeedCache"], &[0, 3, 13]),
    ("streaming", &["StartStream"], &[0, 3]),
    (
        "streaming",
        &[
            "StopStream",
            "GetStreamStatus",
            "GetStreamingManifest",
            "UpdateStreamingProfile",
            "GetStreamAnalytics",
            "BroadcastChatMessage",
            "LiveChat",
        ],
        &[0, 3, 5],
    ),
    // With an exceeded deadline.
    ("messaging", &["SendMessage"], &[4]),
    ("auth", &["Login"], &[4]),
    ("user", &["GetUserProfile"], &[4]),
    ("content", &["GetPost"], &[4]),
    ("feed", &["GetFeed"], &[4]),
    ("feed", &["RankPosts"], &[4]),
];

#[tokio::test]
async fn every_case_ends_as_it_should() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let store = Arc::new(Store::new(0.0));
    let (_stop, stopped) = watch::channel(false);
    let addresses = Addresses::all_at(address);
    let peers = Peers::at(&addresses).unwrap();
    let never = std::future::pending();
    tokio::spawn(server::serve(listener, &Service::ALL, store.clone(), peers, never));
    let stores = Stores::Here(Arc::clone(&store.faults));
    let traffic = Traffic::new(&addresses, stores, stopped).unwrap();
    for pass in 0..3 {
        for &weather in WEATHERS {
            store.faults.set(weather);
            let mut running = JoinSet::new();
            for case in traffic.script(pass, weather) {
                let tally = traffic.tally();
                let what = (case.rpc, pass, weather, case.expected);
                running.spawn(async move { (what, case.run(&tally).await) });
            }
            while let Some(ended) = running.join_next().await {
                let (what, seen) = ended.unwrap();
                assert_eq!(what.3, seen, "{what:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_method_is_asked_for_every_code() {
    let channels = Channels::to(&Addresses::default()).unwrap();
    let mut specified: BTreeMap<_, BTreeSet<i32>> = BTreeMap::new();
    for (service, methods, codes) in SPECIFIED {
        for method in methods {
            specified.entry((service.to_owned(), *method)).or_default().extend(codes);
        }
    }
    let mut asked: BTreeMap<_, BTreeSet<i32>> = BTreeMap::new();
    for case in cases::all(&channels, 0) {
        let (service, method) = case.rpc;
        let service = service.split('.').nth(1).unwrap().to_owned();
        if let Seen::Answer(code) = case.expected {
            asked.entry((service, method)).or_default().insert(code.into());
        }
    }
    assert_eq!(asked, specified);
    // Those of the back end, and a stream of each kind.
    assert_eq!(specified.len(), 39 + 3);
}
