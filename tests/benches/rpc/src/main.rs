//! What instrumentation costs an RPC, through a real server and client on loopback: the same tonic server
//! bare, with `#[instrument_grpc]`, and with `tonic_prometheus_layer`, in one run; and likewise for a client.
//!
//! `cargo run --release --manifest-path tests/benches/rpc/Cargo.toml`; with `-- instructions`, only what other load on the
//! machine hardly affects.

mod callgrind;
mod client;
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
    let arguments: Vec<_> = env::args().skip(1).collect();
    match &*arguments.iter().map(String::as_str).collect::<Vec<_>>() {
        [] => wall_clock::run()?,
        ["instructions"] => {}
        [client::CALLS, way, address] => return client::make_calls(way, address),
        [name, ..] => {
            let variant = Variant::ALL.into_iter().find(|variant| variant.name() == *name);
            return server::serve_until_stdin_ends(variant.ok_or("no such variant")?);
        }
    }
    if callgrind::is_here() {
        instructions::run()?;
        client::run()
    } else {
        println!("Instructions: not counted, since there is no valgrind here.");
        Ok(())
    }
}
