//! Instructions that the server executes per RPC, counted by callgrind: a figure that another program on
//! the machine does not change.
//!
//! The server is this program under valgrind, on one thread. The client sends a number of RPCs one after
//! another, and then one that makes callgrind write down what it has counted and begin anew. A longer and
//! a shorter part differ in nothing but their RPCs.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;

use tonic::Code;

use crate::Failure;
use crate::callgrind::{Directory, Ended};
use crate::pb::Name;
use crate::server::Variant;
use crate::table::median;
use crate::workload::{Client, Workload, connect};

/// Each workload is counted so often.
const REPEATS: usize = 7;
/// RPCs, or messages of one stream, of a shorter and of a longer part.
const PARTS: [u32; 2] = [50, 300];

/// What is counted: a workload's RPC or message, or the stream around its messages.
#[derive(Clone, Copy)]
enum Counted {
    Rpc(Workload),
    Message(Workload),
}

impl Counted {
    const ALL: [Self; 6] = [
        Self::Rpc(Workload::Unary),
        Self::Rpc(Workload::UnaryWithTimeout),
        Self::Rpc(Workload::List),
        Self::Rpc(Workload::Watch),
        Self::Message(Workload::List),
        Self::Message(Workload::Watch),
    ];

    fn name(self) -> String {
        match self {
            Self::Rpc(workload) if workload.streams() => format!("{}: RPC of 1", workload.name()),
            Self::Rpc(workload) => workload.name().to_owned(),
            Self::Message(workload) => format!("{}: message", workload.name()),
        }
    }

    async fn run(self, client: &mut Client, times: u32) -> Result<(), Failure> {
        match self {
            Self::Rpc(workload) => {
                for _ in 0..times {
                    workload.call(client, 1).await?;
                }
                Ok(())
            }
            Self::Message(workload) => workload.call(client, times).await,
        }
    }
}

pub(crate) fn run() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut variants = Vec::new();
    for variant in Variant::ALL {
        variants.push(runtime.block_on(count(variant))?);
    }

    let [short, long] = PARTS;
    println!(
        "Instructions of the server per RPC, or per message of a stream: those of {long} less those of \
         {short}, divided\nby {}. Medians of {REPEATS}; ratios of the medians to bare; in brackets the \
         lowest and highest.\n",
        long - short
    );
    for (i, counted) in Counted::ALL.into_iter().enumerate() {
        println!("{:<54}{:>9}   ÷ bare", counted.name(), "median");
        let bare = median(variants[0][i]);
        for (variant, counts) in Variant::ALL.into_iter().zip(&variants) {
            let instructions = median(counts[i]);
            let low = counts[i].into_iter().fold(f64::NAN, f64::min);
            let high = counts[i].into_iter().fold(f64::NAN, f64::max);
            let ratio = match variant {
                Variant::Bare => String::new(),
                _ => format!("{:.4}", instructions / bare),
            };
            let name = variant.name();
            println!("  {name:<52}{instructions:>9.0}{ratio:>9}   [{low:.0} {high:.0}]");
        }
        println!();
    }
    Ok(())
}

/// Instructions, of each repeat.
type Counts = [[f64; REPEATS]; Counted::ALL.len()];

async fn count(variant: Variant) -> Result<Counts, Failure> {
    let mut server = Callgrind::start(variant)?;
    for counted in Counted::ALL {
        server.part(counted, PARTS[1]).await?;
    }
    let mut counts = Counts::default();
    // The repeats outside, so that what changes slowly touches all alike.
    for repeat in 0..REPEATS {
        for (counted, counts) in Counted::ALL.into_iter().zip(&mut counts) {
            let [short, long] = PARTS;
            let more = server.part(counted, long).await? - server.part(counted, short).await?;
            counts[repeat] = more / f64::from(long - short);
        }
    }
    Ok(counts)
}

/// A server under callgrind.
struct Callgrind {
    // Dropped first: it writes into the directory.
    _child: Ended,
    address: SocketAddr,
    dumps: Directory,
    dump: usize,
}

impl Callgrind {
    fn start(variant: Variant) -> Result<Self, Failure> {
        let dumps = Directory::new(variant.name())?;
        let mut child = dumps.valgrind(&[variant.name()])?;
        let mut address = String::new();
        if let Some(stdout) = child.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut address)?;
        }
        let address = address.trim().parse()?;
        Ok(Self { _child: child, address, dumps, dump: 0 })
    }

    /// The instructions of so many RPCs or messages, on a connection of their own: a connection makes its
    /// headers dearer by the second, for it remembers all dates that it has sent.
    async fn part(&mut self, counted: Counted, times: u32) -> Result<f64, Failure> {
        let mut client = connect(self.address).await?;
        counted.run(&mut client, times).await?;
        // What the handler answers to nobody's name, once callgrind has written its file.
        let answer = client.say(Name { name: String::new() }).await;
        if answer.map_err(|status| status.code()).err() != Some(Code::InvalidArgument) {
            return Err("the server has not ended the part".into());
        }
        self.dump += 1;
        self.dumps.total(self.dump)
    }
}
