//! Instructions that a client executes per call: bare, with `#[instrument_grpc_client]`, and with `client_layer()`.
//!
//! The client is this program under valgrind, and calls a bare server outside. Whichever way it is measured, it makes
//! the same calls.

use std::net::SocketAddr;

use grpc_metrics_runtime::{GrpcMetrics, client_layer};
use tokio::runtime::Builder;
use tonic::transport::Endpoint;
use tower_layer::Layer as _;

use crate::Failure;
use crate::callgrind::{Directory, end_of_part};
use crate::pb::bench_client::BenchClient;
use crate::pb::{Many, Name, measured};
use crate::server::Variant;
use crate::table::median;
use crate::wall_clock::start;

/// The first argument of the program that calls.
pub(crate) const CALLS: &str = "calls";

const REPEATS: usize = 7;
/// Calls, or messages of one stream, of a shorter and of a longer part.
const PARTS: [u32; 2] = [50, 300];

#[derive(Clone, Copy)]
enum Way {
    Bare,
    Attribute,
    Layer,
}

impl Way {
    /// Bare comes first: the others are compared with it.
    const ALL: [Self; 3] = [Self::Bare, Self::Attribute, Self::Layer];

    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Attribute => "#[instrument_grpc_client]",
            Self::Layer => "with client_layer()",
        }
    }
}

const COUNTED: [&str; 2] = ["a unary call", "a message of a response stream"];

pub(crate) fn run() -> Result<(), Failure> {
    let servers = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let address = start(&servers, Variant::Bare)?.to_string();
    let mut counts = Vec::new();
    for way in Way::ALL {
        let dumps = Directory::new(way.name())?;
        let mut child = dumps.valgrind(&[CALLS, way.name(), &address])?;
        if !child.0.wait()?.success() {
            return Err("the client has failed".into());
        }
        let mut dump = COUNTED.len();
        let mut of_way = [[0.0; REPEATS]; COUNTED.len()];
        for repeat in 0..REPEATS {
            for counts in &mut of_way {
                let (short, long) = (dumps.total(dump + 1)?, dumps.total(dump + 2)?);
                counts[repeat] = (long - short) / f64::from(PARTS[1] - PARTS[0]);
                dump += 2;
            }
        }
        counts.push(of_way);
    }
    println!("Instructions of the client, counted likewise.\n");
    for (i, counted) in COUNTED.into_iter().enumerate() {
        println!("{counted:<54}{:>9}   ÷ bare", "median");
        let bare = median(counts[0][i]);
        for (way, counts) in Way::ALL.into_iter().zip(&counts) {
            let instructions = median(counts[i]);
            let low = counts[i].into_iter().fold(f64::NAN, f64::min);
            let high = counts[i].into_iter().fold(f64::NAN, f64::max);
            let ratio = match way {
                Way::Bare => String::new(),
                _ => format!("{:.4}", instructions / bare),
            };
            println!("  {:<52}{instructions:>9.0}{ratio:>9}   [{low:.0} {high:.0}]", way.name());
        }
        println!();
    }
    Ok(())
}

/// Makes the calls of all parts, for callgrind to count.
pub(crate) fn make_calls(way: &str, address: &str) -> Result<(), Failure> {
    let way = Way::ALL.into_iter().find(|known| known.name() == way).ok_or("no such way")?;
    let address: SocketAddr = address.parse()?;
    GrpcMetrics::global();
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
        // Once for nothing, so that caches are warm. As in `instructions`, each part has a connection of its own.
        let parts = [[PARTS[1]].as_slice()].into_iter().chain([PARTS.as_slice(); REPEATS]);
        macro_rules! calls {
            ($client:expr) => {
                for parts in parts {
                    for times in parts {
                        let mut client = $client(endpoint.connect().await?);
                        for _ in 0..*times {
                            client.say(Name { name: "bench".to_owned() }).await?;
                        }
                        end_of_part();
                    }
                    for times in parts {
                        let mut client = $client(endpoint.connect().await?);
                        let many = Many { name: "bench".to_owned(), times: *times };
                        let mut stream = client.list(many).await?.into_inner();
                        while stream.message().await?.is_some() {}
                        end_of_part();
                    }
                }
            };
        }
        match way {
            Way::Bare => calls!(BenchClient::new),
            Way::Attribute => calls!(measured::bench_client::BenchClient::new),
            Way::Layer => calls!(|channel| BenchClient::new(client_layer().layer(channel))),
        }
        Ok(())
    })
}
