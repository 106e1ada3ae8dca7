//! What instrumentation costs an RPC, through a real server and client on loopback: the same tonic server
//! bare, with `#[instrument_grpc]`, and with `tonic_prometheus_layer`, in one run.
//!
//! `cargo run --release --manifest-path tests/benches/rpc/Cargo.toml`

mod instructions;
mod pb;
mod server;
mod table;
mod wall_clock;
mod workload;

use std::env;
use std::error::Error;

use server::Variant;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    // What this program starts itself with, under valgrind.
    if let Some(name) = env::args().nth(1) {
        let variant = Variant::ALL.into_iter().find(|variant| variant.name() == name);
        return server::serve_until_stdin_ends(variant.ok_or("no such variant")?);
    }
    wall_clock::run()?;
    instructions::run()
}
