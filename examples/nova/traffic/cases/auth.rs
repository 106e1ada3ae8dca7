use std::time::Duration;

use tonic::{Code, Request};

use crate::{
    pb::{
        auth::{
            LoginRequest, RefreshTokenRequest, RegisterRequest, VerifyTokenRequest,
            auth_service_server::SERVICE_NAME,
        },
        load::auth_service_client::AuthServiceClient,
    },
    store::seed,
    tokens::{self, Kind},
    traffic::{
        case::{
            Case, Script, Seen::Answer, aborted, fails, invalid, ok, too_late, without_cache,
            without_database,
        },
        channel::Channel,
    },
    weather::Weather,
};

pub(super) fn cases(channel: Channel, pass: u64) -> Vec<Case> {
    let mut script = Script::new(SERVICE_NAME, AuthServiceClient::new(channel));
    let me = 1 + pass % (seed::LOCKED - 1);

    // Register
    let register = |email: String| RegisterRequest {
        email,
        password: seed::PASSWORD.to_owned(),
        display_name: "New User".to_owned(),
    };
    script.unary(
        "Register",
        |mut client, request| async move { client.register(request).await },
        [
            ok(register(format!("new{pass}@nova.example"))),
            invalid(register("nowhere".to_owned())),
            fails(Code::AlreadyExists, register(seed::email(me))),
            without_database(register(format!("unlucky{pass}@nova.example"))),
            without_cache(Code::Unavailable, register(format!("early{pass}@nova.example"))),
            aborted(register(format!("impatient{pass}@nova.example"))),
        ],
    );

    // Login
    let login = |user: u64, password: &str| LoginRequest {
        email: seed::email(user),
        password: password.to_owned(),
    };
    script.unary(
        "Login",
        |mut client, request| async move { client.login(request).await },
        [
            ok(login(me, seed::PASSWORD)),
            invalid(login(me, "")),
            fails(Code::Unauthenticated, login(me, "wrong horse")),
            fails(Code::PermissionDenied, login(seed::LOCKED, seed::PASSWORD)),
            without_database(login(me, seed::PASSWORD)),
            without_cache(Code::Unavailable, login(me, seed::PASSWORD)),
            too_late(login(me, seed::PASSWORD)),
        ],
    );

    // RefreshToken
    let refresh = |user: u64, lives: u64| RefreshTokenRequest {
        refresh_token: tokens::issue(Kind::Refresh, seed::user(user), Duration::from_secs(lives)),
    };
    let credentials = login(me, seed::PASSWORD);
    script.case("RefreshToken", Weather::Fair, Answer(Code::Ok), |client, caller| async move {
        let (mut login, mut refresh) = (client.clone(), client);
        let pair = match caller.of("Login").get(login.login(credentials)).await {
            Ok(pair) => pair,
            Err(code) => return Answer(code),
        };
        let request = RefreshTokenRequest { refresh_token: pair.refresh_token };
        caller.wait(refresh.refresh_token(Request::new(request))).await
    });
    script.unary(
        "RefreshToken",
        |mut client, request| async move { client.refresh_token(request).await },
        [
            invalid(RefreshTokenRequest { refresh_token: "no token".to_owned() }),
            fails(Code::Unauthenticated, refresh(me, 0)),
            fails(Code::PermissionDenied, refresh(seed::LOCKED, 60)),
            without_database(refresh(me, 60)),
            without_cache(Code::Unavailable, refresh(me, 60)),
        ],
    );

    // VerifyToken
    let verify = |user: u64, lives: u64| VerifyTokenRequest {
        access_token: tokens::issue(Kind::Access, seed::user(user), Duration::from_secs(lives)),
    };
    script.unary(
        "VerifyToken",
        |mut client, request| async move { client.verify_token(request).await },
        [
            ok(verify(me, 60)),
            invalid(VerifyTokenRequest { access_token: String::new() }),
            fails(Code::Unauthenticated, verify(me, 0)),
            fails(Code::PermissionDenied, verify(seed::LOCKED, 60)),
            without_database(verify(me, 60)),
            without_cache(Code::Unavailable, verify(me, 60)),
        ],
    );

    script.done()
}
