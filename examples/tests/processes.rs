//! Nova as six processes.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Longer than children take to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The services that others call.
const CALLEES: [&str; 3] =
    ["nova.auth.v1.AuthService", "nova.content.v1.ContentService", "nova.user.v1.UserService"];

/// Who calls whom.
const EDGES: [&str; 13] = [
    "content CreateComment -> user GetUserProfile",
    "content CreatePost -> user GetUserProfile",
    "feed GetFeed -> content GetPostsByAuthor",
    "feed GetFeed -> user GetUserFollowing",
    "feed GetRecommendedCreators -> user GetUserFollowing",
    "feed RankPosts -> content GetPost",
    "feed RankPosts -> user GetUserFollowing",
    "messaging CreateConversation -> auth VerifyToken",
    "messaging CreateConversation -> user GetUserProfilesByIds",
    "messaging GetMessage -> auth VerifyToken",
    "messaging SendMessage -> auth VerifyToken",
    "messaging WatchConversation -> auth VerifyToken",
    "streaming StartStream -> auth VerifyToken",
];

/// A method, as `service method`.
type Counts = BTreeMap<String, u64>;

struct Processes {
    parent: Child,
    output: BufReader<ChildStdout>,
    /// The children inherit it, so it ends when all of them have.
    errors: Option<ChildStderr>,
    /// Host and port of `/metrics`, by service.
    metrics: BTreeMap<String, String>,
    pids: BTreeMap<String, String>,
}

impl Drop for Processes {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.parent.kill();
        let _ = self.parent.wait();
    }
}

impl Processes {
    /// On free ports. Returns once all six serve.
    fn start(args: &[&str]) -> Self {
        let mut parent = Command::new(env!("CARGO_BIN_EXE_nova"));
        parent.args(["--processes", "--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        parent.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut parent = parent.spawn().unwrap();
        let errors = parent.stderr.take();
        let output = BufReader::new(parent.stdout.take().unwrap());
        let (metrics, pids) = (BTreeMap::new(), BTreeMap::new());
        let mut processes = Self { parent, output, errors, metrics, pids };
        while processes.metrics.len() < 6 {
            // `user       pid 4711  gRPC 127.0.0.1:50056  http://127.0.0.1:8086/metrics`
            let line = processes.line();
            let words: Vec<&str> = line.split_whitespace().collect();
            let url = words[5].strip_prefix("http://").and_then(|url| url.strip_suffix("/metrics"));
            processes.metrics.insert(words[0].to_owned(), url.expect(&line).to_owned());
            processes.pids.insert(words[0].to_owned(), words[2].to_owned());
        }
        processes
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the output has ended");
        line
    }

    /// What is printed while there is traffic, and the last table. Every difference is in the verdict.
    fn until_traffic_is_done(&mut self) -> Vec<String> {
        let mut lines = vec![self.line()];
        while lines.last().is_some_and(|line| line.trim() != "traffic done") {
            lines.push(self.line());
        }
        let verdict = lines.iter().find(|line| line.starts_with("checked 42 methods, ")).unwrap();
        assert!(verdict.trim().ends_with(" between services: all agree"), "{verdict}");
        lines
    }

    /// Waits for the parent and all children. Returns the parent's exit code, and what was printed since and said
    /// on stderr.
    fn end(mut self) -> (Option<i32>, String, String) {
        let mut printed = String::new();
        self.output.read_to_string(&mut printed).unwrap();
        let code = self.parent.wait().unwrap().code();
        let (send, said) = mpsc::channel();
        let mut errors = self.errors.take().unwrap();
        thread::spawn(move || {
            let mut text = String::new();
            send.send(errors.read_to_string(&mut text).map(|_| text))
        });
        let said = said.recv_timeout(PATIENCE).expect("a child is left").unwrap();
        (code, printed, said)
    }
}

fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

fn scrape(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") || answer.starts_with("HTTP/1.0 200 "), "{answer}");
    answer
}

/// The samples of a counter that are not 0, by their labels.
fn samples<'a>(page: &'a str, counter: &str) -> Vec<(BTreeMap<&'a str, &'a str>, u64)> {
    let samples = page.lines().filter_map(|line| line.strip_prefix(counter)?.strip_prefix('{'));
    let samples = samples.map(|sample| {
        let (labels, count) = sample.split_once("} ").expect(sample);
        let labels = labels.split(',').map(|label| label.split_once('=').expect(label));
        let labels = labels.map(|(name, value)| (name, value.trim_matches('"')));
        (labels.collect(), count.parse().expect(sample))
    });
    samples.filter(|(_, count)| *count > 0).collect()
}

/// The sums of a counter over all codes, without those that are 0.
fn sums(page: &str, counter: &str) -> Counts {
    let mut sums = Counts::new();
    for (labels, count) in samples(page, counter) {
        *sums.entry(format!("{} {}", labels["service"], labels["method"])).or_default() += count;
    }
    sums
}

/// What the last table says: `nova.user.v1.UserService GetUserProfile 0=12 5=3 from-services=8`.
fn table(lines: &[String], is: impl Fn(&str) -> bool) -> Counts {
    let mut counts = Counts::new();
    for line in lines.iter().filter(|line| line.starts_with("nova.")) {
        let mut words = line.split_whitespace();
        let method = format!("{} {}", words.next().unwrap(), words.next().unwrap());
        let numbers = words.filter_map(|word| word.split_once('=')).filter(|(name, _)| is(name));
        let count: u64 = numbers.map(|(_, count)| count.parse::<u64>().unwrap()).sum();
        if count > 0 {
            counts.insert(method, count);
        }
    }
    counts
}

#[test]
fn six_processes_count_what_the_clients_and_the_other_services_sent() {
    let mut nova = Processes::start(&["--seconds", "2", "--linger", "300"]);
    let lines = nova.until_traffic_is_done();
    let (mut served, mut called) = (Counts::new(), Counts::new());
    for (service, address) in &nova.metrics {
        let page = scrape(address);
        let counts = sums(&page, "grpc_server_requests_total");
        // A process counts the RPCs of its own service only.
        let own = format!("nova.{service}.v1.");
        for (method, count) in
            counts.into_iter().filter(|(method, _)| !method.starts_with("other "))
        {
            assert!(method.starts_with(&own), "{service} counts {method}");
            served.insert(method, count);
        }
        for (method, count) in sums(&page, "grpc_client_requests_total") {
            assert!(!method.starts_with(&own), "{service} calls itself: {method}");
            *called.entry(method).or_default() += count;
        }
    }
    assert_eq!(served.len(), 42);
    // The table is the sum of the six pages.
    assert_eq!(served, table(&lines, |name| name.parse::<u8>().is_ok()));
    assert_eq!(called, table(&lines, |name| name == "from-services"));
    for callee in CALLEES {
        assert!(called.keys().any(|method| method.starts_with(callee)), "{callee}: {called:?}");
    }
    // The traffic calls these, too. The verdict above says that nothing is missing and nothing is left over.
    for (method, calls) in &called {
        assert!(served[method] > *calls, "{method}: {calls} calls, {} served", served[method]);
    }

    kill("-INT", &nova.parent.id().to_string());
    let (code, _, said) = nova.end();
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn each_edge_has_what_the_callee_counted_without_the_loads_calls() {
    // With an outage, no call of a unary method is given up, and so all counts are exact.
    let mut nova = Processes::start(&["--seconds", "3", "--outage", "1", "--linger", "300"]);
    let lines = nova.until_traffic_is_done();
    let (mut edges, mut from_services) = (BTreeSet::new(), Counts::new());
    for (service, address) in &nova.metrics {
        let page = scrape(address);
        let edge_counts = sums(&page, "grpc_client_edge_requests_total");
        // No call lacks its caller, and none is of the load.
        assert_eq!(edge_counts, sums(&page, "grpc_client_requests_total"), "{service}");
        for (callee, count) in edge_counts {
            *from_services.entry(callee).or_default() += count;
        }
        for (labels, _) in samples(&page, "grpc_client_edge_requests_total") {
            let short = |service: &'static str, method| {
                let name = labels[service].split('.').nth(1).unwrap();
                format!("{name} {}", labels[method])
            };
            let caller = short("caller_service", "caller_method");
            assert!(caller.starts_with(service), "{service} counts for {caller}");
            edges.insert(format!("{caller} -> {}", short("service", "method")));
        }
    }
    assert_eq!(edges, EDGES.map(str::to_owned).into());
    let served = table(&lines, |name| name.parse::<u8>().is_ok());
    let from_load = table(&lines, |name| name == "from-load");
    let given_up = table(&lines, |name| name == "given-up");
    for (method, calls) in from_services {
        assert_eq!(given_up.get(&method), None, "{method}");
        assert_eq!(calls, served[&method] - from_load[&method], "{method}");
    }
}

#[test]
fn no_child_outlives_its_parent() {
    for (signal, code) in [("-TERM", Some(0)), ("-KILL", None)] {
        let mut nova = Processes::start(&["--no-traffic"]);
        // By now, the parent listens for signals.
        assert_eq!(nova.line(), "Nova  6 processes\n");
        kill(signal, &nova.parent.id().to_string());
        let (ended, printed, said) = nova.end();
        assert_eq!((ended, said.as_str()), (code, ""), "{signal}");
        assert_eq!(printed.contains("nova.user.v1.UserService GetUserProfile 0=0"), code.is_some());
    }
}

#[test]
fn a_lost_child_ends_the_rest() {
    let nova = Processes::start(&["--no-traffic"]);
    kill("-KILL", &nova.pids["feed"]);
    let (code, _, said) = nova.end();
    assert_eq!(code, Some(1));
    assert!(said.starts_with("nova: feed ended: signal: 9"), "{said}");
}
