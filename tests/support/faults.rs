//! Faults: connections that are cut, and panics that are expected.

use std::net::{Ipv4Addr, SocketAddr};
use std::panic;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::scripted::panic_message;

/// A way to the server that can be cut.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Proxy {
    /// Passes on what comes, from a free port.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let tasks = Arc::new(Mutex::new(JoinSet::new()));
        let connections = Arc::downgrade(&tasks);
        let accept = async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let Some(connections) = connections.upgrade() else {
                    return;
                };
                connections.lock().unwrap().spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(server).await {
                        drop(copy_bidirectional(&mut client, &mut server).await);
                    }
                });
            }
        };
        tokio::spawn(accept);
        Self { address, tasks }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections there are, on both sides, without a word.
    pub fn cut(&self) {
        self.tasks.lock().unwrap().abort_all();
    }
}

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on, scripted panics are noted instead of printed.
pub fn expect_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let payload = info.payload();
            let text = payload.downcast_ref::<&str>().copied();
            match text.or(payload.downcast_ref().map(String::as_str)) {
                Some(message) if message.starts_with("scripted panic") => {
                    let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
                    panics.push(message.to_owned());
                }
                _ => print(info),
            }
        }));
    });
}

/// How many panics had this number.
pub fn panics_of(id: u32) -> usize {
    let message = panic_message(id);
    let panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    panics.iter().filter(|of| **of == message).count()
}

/// Forgets the panics so far, so that a long run needs no room for them.
pub fn forget_panics() {
    PANICS.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// A number that no other panic of this process has.
pub fn panic_id() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
