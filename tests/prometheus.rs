//! The real Prometheus scrapes Nova, and has what Nova's clients sent. Needs Debian's `prometheus`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use support::bed::Bed;
use support::clients::Kind;
use support::faults::panic_id;
use support::nova::Nova;
use support::prometheus::Prometheus;
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

pub(crate) fn label(labels: &str, name: &str) -> String {
    let (_, value) = labels.split_once(&format!("{name}=\"")).expect(labels);
    value.split_once('"').expect(labels).0.to_owned()
}

/// What Prometheus has counted of the unary methods.
fn counted(prometheus: &Prometheus) -> Counts {
    let samples = prometheus.query("sum by (service, method, code) (grpc_server_requests_total)");
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
    let nova = Nova::start(&["--seconds", "10", "--linger", "300"]);
    let prometheus = Prometheus::start(env!("CARGO_TARGET_TMPDIR"), &nova.metrics[0]);

    let lines = nova.output.until(|line| line == "traffic done");
    let verdict = lines.iter().find(|line| line.starts_with("checked ")).unwrap();
    assert!(verdict.ends_with("all agree"), "{verdict}");
    let sent = sent(&lines);
    let methods: usize = UNARY.iter().map(|(_, methods)| methods.len()).sum();
    assert_eq!(methods, 39);
    assert_eq!(sums(&sent).len(), methods, "not every method was called");

    block_until(|| counted(&prometheus), |counted| *counted == sent);
    let of_sums = |query: &str| -> Vec<f64> {
        prometheus.query(query).into_iter().map(|(_, value)| value).collect()
    };
    assert_eq!(of_sums("sum(grpc_server_in_flight_requests)"), [0.0]);
    // The histogram has what the clients sent, too.
    let durations = "sum by (service, method) (grpc_server_request_duration_seconds_count)";
    let durations = prometheus.query(durations).into_iter().map(|(labels, value)| {
        let [service, method] = ["service", "method"].map(|name| label(&labels, name));
        ((service, method), support::bed::whole(value))
    });
    let durations = durations.filter(|((service, method), _)| is_unary(service, method));
    let durations: BTreeMap<_, _> = durations.collect();
    let sums = sums(&sent).into_iter();
    let sums = sums.map(|((service, method), n)| ((service.to_owned(), method.to_owned()), n));
    assert_eq!(durations, sums.collect());
    // A3: streams stay out of the percentiles.
    let p95 = "histogram_quantile(0.95, sum by (le, type) (\
               rate(grpc_server_request_duration_seconds_bucket[1m]) \
               * on (service, method) group_left (type) grpc_server_method_info))";
    let kinds = prometheus.query(p95);
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    assert!(kinds.iter().all(|(_, p95)| *p95 > 0.0), "{kinds:?}");

    assert_no_complaint(&get_metrics(&nova.metrics[0]));
    assert!(prometheus.is_up());
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
