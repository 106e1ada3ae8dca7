//! Instructions that the server executes per RPC, counted by callgrind: a figure that another program on
//! the machine does not change.
//!
//! The server is this program under valgrind, on one thread. The client sends a number of RPCs one after
//! another, and then one that makes callgrind write down what it has counted and begin anew. A longer and
//! a shorter part differ in nothing but their RPCs.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs, process};

use tonic::Code;

use crate::Failure;
use crate::pb::Name;
use crate::server::Variant;
use crate::table::median;
use crate::workload::{Client, Workload, connect};

/// Each workload is counted so often.
const REPEATS: usize = 5;
/// RPCs, or messages of one stream, of a shorter and of a longer part.
const PARTS: [u32; 2] = [50, 350];

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

    async fn run(self, client: &mut Client, part: u32) -> Result<(), Failure> {
        match self {
            Self::Rpc(workload) => {
                for _ in 0..part {
                    workload.call(client, 1).await?;
                }
                Ok(())
            }
            Self::Message(workload) => workload.call(client, part).await,
        }
    }
}

pub(crate) fn run() -> Result<(), Failure> {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("Instructions per RPC: not counted, since there is no valgrind here.");
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut variants = Vec::new();
    for variant in Variant::ALL {
        variants.push(runtime.block_on(count(variant))?);
    }

    println!(
        "Instructions of the server per RPC, or per message of a stream: ({}). Medians of {REPEATS}, \
         and the\nlowest and highest ratio to bare.\n",
        format_args!(
            "those of {} less those of {}, divided by {}",
            PARTS[1],
            PARTS[0],
            PARTS[1] - PARTS[0]
        ),
    );
    let mut head = format!("{:<56}", "");
    for variant in Variant::ALL {
        let _ = write!(head, "{:>24}", variant.name());
    }
    println!("{head}");
    for (i, counted) in Counted::ALL.into_iter().enumerate() {
        print!("{:<56}", counted.name());
        let bare = median(variants[0][i]);
        for (variant, counts) in Variant::ALL.into_iter().zip(&variants) {
            let instructions = median(counts[i]);
            print!("{instructions:>24.0}");
            if variant != Variant::Bare {
                print!(" {:>6.4}", instructions / bare);
            }
        }
        println!();
    }
    Ok(())
}

/// Instructions, of each repeat.
type Counts = [[f64; REPEATS]; Counted::ALL.len()];

async fn count(variant: Variant) -> Result<Counts, Failure> {
    let mut server = Callgrind::start(variant)?;
    let mut client = connect(server.address).await?;
    for counted in Counted::ALL {
        counted.run(&mut client, PARTS[0]).await?;
    }
    server.end_part(&mut client).await?;
    let mut counts = Counts::default();
    // The repeats outside, so that what grows slowly touches all alike.
    for repeat in 0..REPEATS {
        for (counted, counts) in Counted::ALL.into_iter().zip(&mut counts) {
            let mut instructions = [0.0; 2];
            for (part, instructions) in PARTS.into_iter().zip(&mut instructions) {
                counted.run(&mut client, part).await?;
                *instructions = server.end_part(&mut client).await?;
            }
            let [short, long] = instructions;
            counts[repeat] = (long - short) / f64::from(PARTS[1] - PARTS[0]);
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
        let dumps = Directory::new(variant)?;
        let mut child = Ended(
            Command::new("valgrind")
                .args(["--tool=callgrind", "--quiet", "--dump-after=*end_of_part*"])
                .arg(format!("--callgrind-out-file={}", dumps.0.join("out").display()))
                .arg(env::current_exe()?)
                .arg(variant.name())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?,
        );
        let mut address = String::new();
        if let Some(stdout) = child.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut address)?;
        }
        let address = address.trim().parse()?;
        Ok(Self { _child: child, address, dumps, dump: 0 })
    }

    /// Instructions since the last such call.
    async fn end_part(&mut self, client: &mut Client) -> Result<f64, Failure> {
        // What the handler answers to nobody's name, once callgrind has written its file.
        let answer = client.say(Name { name: String::new() }).await;
        if answer.map_err(|status| status.code()).err() != Some(Code::InvalidArgument) {
            return Err("the server has not ended the part".into());
        }
        self.dump += 1;
        let dump = fs::read_to_string(self.dumps.0.join(format!("out.{}", self.dump)))?;
        let totals = dump.lines().find_map(|line| line.strip_prefix("totals: "));
        Ok(totals.ok_or("callgrind gives no totals")?.parse()?)
    }
}

/// A process that ends with this value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            eprintln!("process {} stays: {error}", self.0.id());
        }
    }
}

/// A directory that goes with this value.
struct Directory(PathBuf);

impl Directory {
    fn new(variant: Variant) -> Result<Self, Failure> {
        let name = format!("grpc-metrics-rpc-{}-{}", process::id(), variant as usize);
        let directory = Self(env::temp_dir().join(name));
        fs::create_dir_all(&directory.0)?;
        Ok(directory)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} stays: {error}", self.0.display());
        }
    }
}
