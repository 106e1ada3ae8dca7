//! The signals that ask for the end.

use std::future;

use tokio::signal;

/// Waits for Ctrl-C, SIGTERM or SIGHUP.
pub(crate) async fn interrupt() {
    tokio::select! {
        () = keyboard() => {}
        () = terminated() => {}
    }
}

async fn keyboard() {
    if signal::ctrl_c().await.is_err() {
        future::pending::<()>().await;
    }
}

/// Waits for SIGTERM, or for SIGHUP, which a closing terminal sends.
#[cfg(unix)]
async fn terminated() {
    use signal::unix::{SignalKind, signal};

    let (Ok(mut terminate), Ok(mut hang_up)) =
        (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
}

#[cfg(not(unix))]
async fn terminated() {
    future::pending().await
}
