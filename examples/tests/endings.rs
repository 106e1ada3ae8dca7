//! Nova's exit codes, and its reaction to signals.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

fn nova(args: &[&str]) -> Command {
    let mut nova = Command::new(env!("CARGO_BIN_EXE_nova"));
    nova.args(["--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]).args(args);
    nova
}

/// Killed when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_signal_that_asks_for_the_end_brings_the_last_table() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let mut nova = Running(nova(&["--no-traffic"]).stdout(Stdio::piped()).spawn().unwrap());
        let mut output = BufReader::new(nova.0.stdout.take().unwrap());
        // By now Nova listens for signals.
        let mut title = String::new();
        output.read_line(&mut title).unwrap();
        assert!(title.starts_with("Nova  gRPC "), "{title}");
        let sent = Command::new("kill").args([signal, &nova.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        assert_eq!(nova.0.wait().unwrap().code(), Some(0), "{signal}");
        assert!(rest.contains("nova.content.v1.ContentService GetPost 0=0"), "{signal}: {rest}");
    }
}

/// All other failures are client errors, so only the outage is visible.
#[test]
fn an_outage_breaks_the_store_and_ends() {
    let output = nova(&["--seconds", "5", "--outage", "2"]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{printed}");
    let last = |name: &str| {
        let line = printed.lines().rfind(|line| line.starts_with(name)).expect(name);
        let counts = line.split(' ').filter_map(|word| word.split_once('='));
        let counts =
            counts.filter_map(|(code, n)| Some((code.parse::<u8>().ok()?, n.parse().ok()?)));
        counts.collect::<BTreeMap<u8, u64>>()
    };
    let codes = last("nova.content.v1.ContentService GetPost ");
    assert!(codes[&0] > 0 && codes[&13] > 0, "{codes:?}");
    let codes = last("nova.messaging.v1.MessagingService WatchConversation ");
    assert_eq!(codes.get(&4), None, "{codes:?}");
    // Live streams do not use the store.
    let codes = last("nova.streaming.v1.StreamingService GetStreamStatus ");
    assert_eq!(codes.get(&13), None, "{codes:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_exit_code_tells_even_if_nothing_else_can() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let ends = |args: &[&str]| nova(args).stdout(full()).stderr(full()).status().unwrap().code();
    assert_eq!(ends(&["--frob"]), Some(2));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_eq!(ends(&["--metrics", &address]), Some(2));
    assert_eq!(ends(&["--help"]), Some(0));
}
