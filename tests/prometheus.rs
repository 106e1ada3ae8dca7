//! The real Prometheus scrapes Nova, and has what Nova's clients sent. Needs Debian's `prometheus`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use support::bed::Bed;
use support::clients::Kind;
use support::faults::panic_id;
use support::programs::build_release;
use support::script::{fail, panics, script, send};
use support::wait::block_until;
use tonic::Code;

/// Nova's unary methods, those that were instrumented by hand once.
const UNARY: [(&str, &[&str]); 6] = [
    ("nova.messaging.v1.MessagingService", &["SendMessage", "GetMessage", "CreateConversation"]),
    ("nova.auth.v1.AuthService", &["Register", "Login", "RefreshToken", "VerifyToken"]),
    (
        "nova.user.v1.UserService",
        &[
            "GetUserProfile",
            "GetUserProfilesByIds",
            "UpdateUserProfile",
            "GetUserSettings",
            "UpdateUserSettings",
            "FollowUser",
            "UnfollowUser",
            "BlockUser",
            "UnblockUser",
            "GetUserFollowers",
            "GetUserFollowing",
            "CheckUserRelationship",
            "SearchUsers",
        ],
    ),
    (
        "nova.content.v1.ContentService",
        &[
            "GetPost",
            "CreatePost",
            "UpdatePost",
            "DeletePost",
            "GetPostsByAuthor",
            "GetComments",
            "CreateComment",
            "LikePost",
        ],
    ),
    (
        "nova.feed.v1.FeedService",
        &["GetFeed", "RankPosts", "GetRecommendedCreators", "InvalidateFeedCache"],
    ),
    (
        "nova.streaming.v1.StreamingService",
        &[
            "StartStream",
            "StopStream",
            "GetStreamStatus",
            "GetStreamingManifest",
            "UpdateStreamingProfile",
            "GetStreamAnalytics",
            "BroadcastChatMessage",
        ],
    ),
];

/// RPCs by service, method and code.
type Counts = BTreeMap<(String, String, String), u64>;

/// A program that ends with the test, and its directory with it.
struct Process {
    child: Child,
    directory: Option<PathBuf>,
}

impl Process {
    fn start(command: &mut Command) -> Self {
        let child = command.spawn().expect("the program is not installed");
        Self { child, directory: None }
    }

    fn output(&mut self) -> Lines<ChildStdout> {
        Lines::of(self.child.stdout.take().unwrap())
    }

    /// Ctrl-C, and the exit code.
    fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status();
        assert!(sent.unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(directory) = &self.directory {
            let _ = fs::remove_dir_all(directory);
        }
    }
}

/// What a program prints, line by line, without waiting for ever.
struct Lines<R> {
    lines: mpsc::Receiver<String>,
    of: std::marker::PhantomData<R>,
}

impl<R: Read + Send + 'static> Lines<R> {
    fn of(output: R) -> Self {
        let (print, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if print.send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines, of: std::marker::PhantomData }
    }

    /// All lines up to the first that `is` it.
    fn until(&self, is: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| is(line)) {
            match self.lines.recv_timeout(Duration::from_secs(120)) {
                Ok(line) => lines.push(line),
                Err(error) => panic!("{error} after {lines:#?}"),
            }
        }
        lines
    }
}

/// The example, from `NOVA` or else built now.
fn nova() -> PathBuf {
    std::env::var_os("NOVA").map_or_else(|| build_release("examples", "nova"), PathBuf::from)
}

/// Prometheus with this target, scraping every second.
fn prometheus(target: &str) -> (Process, String) {
    // Prometheus can't say which port it has found, so one is found for it.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let name = format!("prometheus-{}", std::process::id());
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).unwrap();
    let config = directory.join("prometheus.yml");
    let lines = [
        "global: {scrape_interval: 1s, scrape_timeout: 1s}",
        "scrape_configs:",
        "- job_name: nova",
        &format!("  static_configs: [{{targets: ['{target}']}}]"),
    ];
    fs::write(&config, lines.join("\n")).unwrap();
    let mut process = Process::start(
        Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    process.directory = Some(directory);
    (process, format!("http://{address}"))
}

/// The samples of an instant query, each with its labels in front; none while Prometheus is not ready.
fn query(server: &str, query: &str) -> Vec<(String, f64)> {
    let output = Command::new("promtool").args(["query", "instant", server, query]).output();
    let printed = String::from_utf8(output.unwrap().stdout).unwrap();
    let samples = printed.lines().filter_map(|line| {
        let (labels, value) = line.split_once(" => ")?;
        let value = value.split_once(" @").map_or(value, |(value, _)| value);
        Some((labels.to_owned(), value.parse().unwrap()))
    });
    samples.collect()
}

fn label(labels: &str, name: &str) -> String {
    let (_, value) = labels.split_once(&format!("{name}=\"")).expect(labels);
    value.split_once('"').expect(labels).0.to_owned()
}

/// What Prometheus has counted of the unary methods.
fn counted(server: &str) -> Counts {
    let samples = query(server, "sum by (service, method, code) (grpc_server_requests_total)");
    let counts = samples.into_iter().filter(|(_, value)| *value > 0.0).map(|(labels, value)| {
        let key = ["service", "method", "code"].map(|name| label(&labels, name));
        (key.into(), support::bed::whole(value))
    });
    counts.filter(|((service, method, _), _)| is_unary(service, method)).collect()
}

fn is_unary(service: &str, method: &str) -> bool {
    UNARY.iter().any(|(of, methods)| *of == service && methods.contains(&method))
}

/// The lines of Nova's last table: `service method code=count ...`. They were held against what the
/// clients had counted.
fn sent(lines: &[String]) -> Counts {
    let mut counts = Counts::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let (Some(service), Some(method)) = (words.next(), words.next()) else { continue };
        if !is_unary(service, method) {
            continue;
        }
        for (code, count) in words.filter_map(|word| word.split_once('=')) {
            if let (Ok(code), Ok(count)) = (code.parse::<u8>(), count.parse())
                && count > 0
            {
                let key = (service.to_owned(), method.to_owned(), code.to_string());
                assert_eq!(counts.insert(key, count), None, "twice: {line}");
            }
        }
    }
    counts
}

fn sums(counts: &Counts) -> BTreeMap<(&str, &str), u64> {
    let mut sums = BTreeMap::new();
    for ((service, method, _), count) in counts {
        *sums.entry((service.as_str(), method.as_str())).or_default() += count;
    }
    sums
}

fn get_metrics(address: &str) -> String {
    let mut stream = TcpStream::connect(address.parse::<SocketAddr>().unwrap()).unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(!head.to_lowercase().contains("transfer-encoding"), "{head}");
    body.to_owned()
}

/// `promtool check metrics` has nothing to say.
fn assert_no_complaint(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is not installed");
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert_eq!(String::from_utf8_lossy(&said), "", "{text}");
    assert!(output.status.success());
}

#[test]
#[ignore = "needs the prometheus and promtool programs"]
fn prometheus_has_what_the_clients_of_nova_sent() {
    let mut nova = Process::start(
        Command::new(nova())
            .args(["--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0"])
            .args(["--seconds", "10", "--linger", "300"])
            .stdout(Stdio::piped()),
    );
    let output = nova.output();
    let title = output.until(|line| line.contains("/metrics")).pop().unwrap();
    let (_, url) = title.split_once("http://").unwrap();
    let address = url.strip_suffix("/metrics").unwrap();

    let (_prometheus, server) = prometheus(address);
    let is_up = |samples: &Vec<(String, f64)>| samples.iter().any(|(_, up)| *up > 0.0);
    block_until(|| query(&server, "up{job=\"nova\"}"), is_up);

    let lines = output.until(|line| line == "traffic done");
    let verdict = lines.iter().find(|line| line.starts_with("checked ")).unwrap();
    assert!(verdict.ends_with("all agree"), "{verdict}");
    let sent = sent(&lines);
    let methods: usize = UNARY.iter().map(|(_, methods)| methods.len()).sum();
    assert_eq!(methods, 39);
    assert_eq!(sums(&sent).len(), methods, "not every method was called");

    block_until(|| counted(&server), |counted| *counted == sent);
    let of_sums = |query_: &str| -> Vec<f64> {
        query(&server, query_).into_iter().map(|(_, value)| value).collect()
    };
    assert_eq!(of_sums("sum(grpc_server_in_flight_requests)"), [0.0]);
    assert_eq!(
        of_sums(
            "sum(grpc_server_requests_total) - sum(grpc_server_request_duration_seconds_count)"
        ),
        [0.0]
    );
    // A3: streams stay out of the percentiles.
    let p95 = "histogram_quantile(0.95, sum by (le, type) (\
               rate(grpc_server_request_duration_seconds_bucket[1m]) \
               * on (service, method) group_left (type) grpc_server_method_info))";
    let kinds = query(&server, p95);
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    assert!(kinds.iter().all(|(_, p95)| *p95 > 0.0), "{kinds:?}");

    assert_no_complaint(&get_metrics(address));
    assert!(is_up(&query(&server, "up{job=\"nova\"}")));
    assert_eq!(nova.interrupt(), Some(0));
}

#[tokio::test]
#[ignore = "needs the promtool program"]
async fn promtool_has_no_complaint() {
    let settings = |name| {
        Bed::with(move |builder| match name {
            "names" => builder.code_label(grpc_metrics_runtime::CodeLabel::Name),
            "labels" => builder.prefix("a").const_label("region", "\"eu\"\n\\"),
            _ => builder,
        })
    };
    for name in ["default", "names", "labels"] {
        let bed = settings(name).await;
        assert_no_complaint(&bed.scrape().text);
        for kind in Kind::ALL {
            bed.call(kind, script([], [send()])).await;
            bed.call(kind, script([fail(Code::NotFound)], [])).await;
            bed.call(kind, script([panics(panic_id())], [])).await;
        }
        assert_no_complaint(&bed.scrape().text);
    }
}
