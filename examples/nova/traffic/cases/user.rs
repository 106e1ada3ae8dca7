use super::{NO_UUID, nobody, user};
use crate::{
    pb::{
        load::user_service_client::UserServiceClient,
        user::{
            GetUserProfileRequest, GetUserProfilesByIdsRequest, GetUserSettingsRequest,
            ListUsersRequest, RelationshipRequest, SearchUsersRequest, UpdateUserProfileRequest,
            UpdateUserSettingsRequest, UserSettings, user_service_server::SERVICE_NAME,
        },
    },
    traffic::{
        case::{Call, Case, Script, aborted, invalid, missing, ok, too_late, without_database},
        channel::Channel,
    },
};

type Client = UserServiceClient<Channel>;

pub(super) fn cases(channel: Channel, pass: u64) -> Vec<Case> {
    let mut script = Script::new(SERVICE_NAME, UserServiceClient::new(channel));
    profiles(&mut script, pass);
    settings(&mut script, pass);
    relationships(&mut script, pass);
    lists(&mut script, pass);
    script.done()
}

fn profiles(script: &mut Script<Client>, pass: u64) {
    let get = |user_id| GetUserProfileRequest { user_id };
    script.unary(
        "GetUserProfile",
        |mut client, request| async move { client.get_user_profile(request).await },
        [
            ok(get(user(pass))),
            invalid(get(NO_UUID.to_owned())),
            missing(get(nobody())),
            without_database(get(user(pass))),
            too_late(get(user(pass))),
            aborted(get(user(pass))),
        ],
    );
    let get_all = |user_ids| GetUserProfilesByIdsRequest { user_ids };
    let some = vec![user(pass), user(pass + 1), nobody()];
    script.unary(
        "GetUserProfilesByIds",
        |mut client, request| async move { client.get_user_profiles_by_ids(request).await },
        [
            ok(get_all(some.clone())),
            invalid(get_all(Vec::new())),
            missing(get_all(vec![nobody()])),
            without_database(get_all(some)),
        ],
    );
    let update = |user_id, name: &str| UpdateUserProfileRequest {
        user_id,
        display_name: name.to_owned(),
        bio: format!("Renamed in pass {pass}"),
    };
    script.unary(
        "UpdateUserProfile",
        |mut client, request| async move { client.update_user_profile(request).await },
        [
            ok(update(user(pass), "User Renamed")),
            invalid(update(user(pass), "")),
            missing(update(nobody(), "Nobody")),
            without_database(update(user(pass), "User Unnamed")),
        ],
    );
}

fn settings(script: &mut Script<Client>, pass: u64) {
    let get = |user_id| GetUserSettingsRequest { user_id };
    script.unary(
        "GetUserSettings",
        |mut client, request| async move { client.get_user_settings(request).await },
        [
            ok(get(user(pass))),
            invalid(get(NO_UUID.to_owned())),
            missing(get(nobody())),
            without_database(get(user(pass))),
        ],
    );
    let update = |user_id, language: &str| UpdateUserSettingsRequest {
        user_id,
        settings: Some(UserSettings {
            private_account: false,
            language: language.to_owned(),
            email_notifications: pass.is_multiple_of(2),
        }),
    };
    script.unary(
        "UpdateUserSettings",
        |mut client, request| async move { client.update_user_settings(request).await },
        [
            ok(update(user(pass), "de")),
            invalid(update(user(pass), "Deutsch")),
            missing(update(nobody(), "de")),
            without_database(update(user(pass), "de")),
        ],
    );
}

/// The same five endings for all five methods.
fn relationships(script: &mut Script<Client>, pass: u64) {
    let calls = || -> [Call<RelationshipRequest>; 4] {
        let pair = |user_id, target_id| RelationshipRequest { user_id, target_id };
        // Not an adjacent user: the seeds already follow each other.
        let (me, other) = (user(pass), user(pass + 5));
        [
            ok(pair(me.clone(), other.clone())),
            invalid(pair(me.clone(), me.clone())),
            missing(pair(me.clone(), nobody())),
            without_database(pair(me, other)),
        ]
    };
    script.unary(
        "FollowUser",
        |mut client, request| async move { client.follow_user(request).await },
        calls(),
    );
    script.unary(
        "UnfollowUser",
        |mut client, request| async move { client.unfollow_user(request).await },
        calls(),
    );
    script.unary(
        "BlockUser",
        |mut client, request| async move { client.block_user(request).await },
        calls(),
    );
    script.unary(
        "UnblockUser",
        |mut client, request| async move { client.unblock_user(request).await },
        calls(),
    );
    script.unary(
        "CheckUserRelationship",
        |mut client, request| async move { client.check_user_relationship(request).await },
        calls(),
    );
}

fn lists(script: &mut Script<Client>, pass: u64) {
    let calls = || -> [Call<ListUsersRequest>; 4] {
        let list = |user_id, page_size| ListUsersRequest { user_id, page_size };
        [
            ok(list(user(pass), 10)),
            invalid(list(user(pass), 1_000)),
            missing(list(nobody(), 10)),
            without_database(list(user(pass), 10)),
        ]
    };
    script.unary(
        "GetUserFollowers",
        |mut client, request| async move { client.get_user_followers(request).await },
        calls(),
    );
    script.unary(
        "GetUserFollowing",
        |mut client, request| async move { client.get_user_following(request).await },
        calls(),
    );
    let search = |viewer_id, query: &str| SearchUsersRequest {
        viewer_id,
        query: query.to_owned(),
        page_size: 5,
    };
    script.unary(
        "SearchUsers",
        |mut client, request| async move { client.search_users(request).await },
        [
            ok(search(user(pass), "user")),
            invalid(search(user(pass), "u")),
            missing(search(nobody(), "user")),
            without_database(search(user(pass), "user")),
            aborted(search(user(pass), "user")),
        ],
    );
}
