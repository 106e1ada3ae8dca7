//! A service as a child process: the other side of `children.rs`.

use std::{io, thread};

use tokio::sync::mpsc;

use crate::{
    args::Args, run::Failure, screen::print, servers::Servers, signals::interrupt, weather::Weather,
};

/// Serves until stdin closes or a signal asks for the end.
pub(crate) async fn run(args: &Args) -> Result<(), Failure> {
    let mut servers = Servers::start(args).await?;
    let mut orders = lines_of_stdin();
    // If the parent has gone, stdin is closed, too.
    let _ = print([servers.place.title()]);
    let interrupted = interrupt();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            order = orders.recv() => match order.as_deref().map(str::parse::<Weather>) {
                Some(Ok(weather)) => {
                    servers.faults.set(weather);
                    let _ = print([weather.name().to_owned()]);
                }
                Some(Err(())) => {}
                None => break,
            },
            () = &mut interrupted => break,
            failure = servers.failure() => return Err(failure),
        }
    }
    servers.stop().await
}

/// Reads on a thread of its own: tokio's runtime would not end before a read of its own stdin does.
fn lines_of_stdin() -> mpsc::UnboundedReceiver<String> {
    let (send, lines) = mpsc::unbounded_channel();
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
