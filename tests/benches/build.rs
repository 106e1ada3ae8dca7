//! What the attribute costs at compile time: an impl of 177 unary methods, the largest seen in the wild,
//! with it and without.
//!
//! `cargo bench -p tests --bench build`
//!
//! Takes some minutes: it compiles throw-away packages in a directory of its own.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fs, process};

const METHODS: usize = 177;
const ROUNDS: usize = 3;

const ABOUT: &str = "\
Compared are two packages that differ in one line, the attribute. Each handler has its own messages, an early
return, an await of a store that may have to wait, a `?` and an `ok_or_else`: six lines.
  impl alone    trait, impl and a call of each method; messages are plain structs
  with server   what a program compiles: also prost's messages, and the server that tonic's code
                generator writes
Dependencies are built before. Timed is cargo for that one package, its source touched, not incremental, with
and without in turns.
";

type Failure = Box<dyn Error>;

/// What surrounds the impl.
#[derive(Clone, Copy)]
enum Surroundings {
    Alone,
    Server,
}

use Surroundings::{Alone, Server};

/// A package to compile.
#[derive(Clone, Copy)]
struct Package {
    surroundings: Surroundings,
    methods: usize,
    attribute: bool,
}

impl Package {
    fn name(self) -> String {
        let surroundings = match self.surroundings {
            Alone => "alone",
            Server => "server",
        };
        let attribute = if self.attribute { "with" } else { "without" };
        format!("{surroundings}_{}_{attribute}", self.methods)
    }
}

fn main() -> Result<(), Failure> {
    println!("{ABOUT}");
    let lab = Lab::new()?;
    for surroundings in [Alone, Server] {
        let title = match surroundings {
            Alone => "impl alone",
            Server => "with server",
        };
        println!("{title}, {METHODS} methods; medians of {ROUNDS} rounds");
        times(&lab, surroundings)?;
        sizes(&lab, surroundings)?;
        println!();
    }
    Ok(())
}

fn times(lab: &Lab, surroundings: Surroundings) -> Result<(), Failure> {
    let pair = [false, true].map(|attribute| Package { surroundings, methods: METHODS, attribute });
    println!("{:<34}{:>10}{:>10}{:>10}   lowest to highest", "", "without", "with", "ratio");
    for (title, arguments) in
        [("cargo build --release, s", &["build", "--release"][..]), ("cargo check, s", &["check"])]
    {
        // The first build of each brings the dependencies along.
        for package in pair {
            lab.cargo(arguments, package, &[])?;
        }
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let mut seconds = [0.0; 2];
            for (package, seconds) in pair.into_iter().zip(&mut seconds) {
                lab.touch(package)?;
                let start = Instant::now();
                lab.cargo(arguments, package, &[])?;
                *seconds = start.elapsed().as_secs_f64();
            }
            rounds.push(seconds);
        }
        let sorted = |of: &dyn Fn(&[f64; 2]) -> f64| {
            let mut samples: Vec<f64> = rounds.iter().map(of).collect();
            samples.sort_by(f64::total_cmp);
            samples
        };
        let [without, with] = [0, 1].map(|i| sorted(&|round| round[i])[ROUNDS / 2]);
        let ratios = sorted(&|round| round[1] / round[0]);
        println!(
            "{title:<34}{without:>10.2}{with:>10.2}{:>10.2}   {:.2} to {:.2}",
            ratios[ROUNDS / 2],
            ratios[0],
            ratios[ROUNDS - 1]
        );
    }
    Ok(())
}

fn sizes(lab: &Lab, surroundings: Surroundings) -> Result<(), Failure> {
    println!("{:<34}{:>10}{:>10}{:>10}", "binary, KB", "without", "with", "");
    for (title, flags) in [("release", &[][..]), ("release, stripped", &["-C", "strip=symbols"])] {
        let size = |methods, attribute| {
            let package = Package { surroundings, methods, attribute };
            lab.touch(package)?;
            lab.cargo(&["rustc", "--release"], package, flags)?;
            lab.binary_size(package)
        };
        let (without, with) = (size(METHODS, false)?, size(METHODS, true)?);
        // What one method brings is the runtime and all it needs, which a program links once.
        let (once, once_with) = (size(1, false)?, size(1, true)?);
        #[allow(clippy::cast_precision_loss)]
        let per_method = ((with - without) - (once_with - once)) / (METHODS - 1) as f64;
        println!("{title:<34}{:>10.0}{:>10.0}", without / 1e3, with / 1e3);
        println!("{:<34}{per_method:>20.0} bytes a method", "");
        println!("{:<34}{:>20.0} KB once, for the runtime", "", (once_with - once) / 1e3);
    }
    Ok(())
}

/// A directory with the packages, which goes with this value.
struct Lab(PathBuf);

impl Lab {
    fn new() -> Result<Self, Failure> {
        let lab = Self(env::temp_dir().join(format!("grpc-metrics-build-{}", process::id())));
        fs::create_dir_all(&lab.0)?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let mut members = Vec::new();
        for surroundings in [Alone, Server] {
            for methods in [1, METHODS] {
                for attribute in [false, true] {
                    let package = Package { surroundings, methods, attribute };
                    members.push(format!("{:?}", package.name()));
                    let dir = lab.0.join(package.name());
                    fs::create_dir_all(&dir)?;
                    fs::write(dir.join("Cargo.toml"), manifest(package, &root))?;
                    fs::write(dir.join("main.rs"), source(package))?;
                }
            }
        }
        let workspace =
            format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", members.join(", "));
        fs::write(lab.0.join("Cargo.toml"), workspace)?;
        // The versions that everything else here is built with.
        fs::copy(root.join("Cargo.lock"), lab.0.join("Cargo.lock"))?;
        Ok(lab)
    }

    fn touch(&self, package: Package) -> Result<(), Failure> {
        fs::write(self.0.join(package.name()).join("main.rs"), source(package))?;
        Ok(())
    }

    fn cargo(&self, arguments: &[&str], package: Package, flags: &[&str]) -> Result<(), Failure> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).args(["--quiet", "--package", &package.name()]);
        cargo.arg("--target-dir").arg(self.0.join("target"));
        if !flags.is_empty() {
            cargo.arg("--").args(flags);
        }
        cargo.current_dir(&self.0).env("CARGO_INCREMENTAL", "0").stdin(Stdio::null());
        let status = cargo.status()?;
        if status.success() { Ok(()) } else { Err(format!("{cargo:?}: {status}").into()) }
    }

    fn binary_size(&self, package: Package) -> Result<f64, Failure> {
        let release = self.0.join("target").join("release");
        let binary = release.join(package.name()).with_extension(env::consts::EXE_EXTENSION);
        #[allow(clippy::cast_precision_loss)]
        Ok(fs::metadata(binary)?.len() as f64)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} stays: {error}", self.0.display());
        }
    }
}

fn manifest(package: Package, root: &Path) -> String {
    let runtime = root.join("grpc-metrics-runtime");
    format!(
        "[package]
name = {:?}
edition = \"2024\"

[[bin]]
name = {:?}
path = \"main.rs\"

[dependencies]
grpc-metrics-runtime = {{ path = \"{}\" }}
prost = \"0.14\"
tonic = {{ version = \"0.14\", default-features = false, features = [\"codegen\", \"server\"] }}
tonic-prost = \"0.14\"
",
        package.name(),
        package.name(),
        runtime.display(),
    )
}

/// The package's only file.
fn source(package: Package) -> String {
    let Package { surroundings, methods, attribute } = package;
    let mut source = STORE.to_owned();
    match surroundings {
        Alone => source += "use plain_caller::{Bench, call};\n",
        Server => source += "use server_caller::call;\nuse pb::{*, bench_server::Bench};\n",
    }
    let items = |item: &dyn Fn(usize) -> String| (0..methods).map(item).collect::<String>();
    if attribute {
        source += "#[grpc_metrics_runtime::instrument_grpc(service = \"bench.Bench\")]\n";
    }
    let handlers = items(&handler);
    let _ = writeln!(source, "#[tonic::async_trait]\nimpl Bench for Service {{{handlers}}}");
    match surroundings {
        Alone => {
            let messages = items(&|i| messages(i, PLAIN));
            let declarations = items(&declaration);
            let arms = items(&plain_arm);
            let _ = writeln!(source, "{messages}");
            let _ = writeln!(
                source,
                "mod plain_caller {{
                    use super::*;
                    #[tonic::async_trait]
                    pub trait Bench: Send + Sync + 'static {{{declarations}}}
                    {PLAIN_CALL} {{
                        match path.as_str() {{ {arms} _ => false }}
                    }}
                }}"
            );
        }
        Server => {
            let messages = items(&|i| messages(i, PROST));
            let declarations = items(&declaration);
            let arms = items(&server_arm);
            let _ =
                writeln!(source, "mod pb {{ use tonic::{{Request, Response, Status}}; {messages}");
            let _ = writeln!(source, "{}", server(&declarations, &arms));
            let _ = writeln!(source, "}}\n{SERVER_CALL}");
        }
    }
    source
}

/// What handlers do is somewhere else: in a store that may have to wait.
const STORE: &str = r#"
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use tonic::{Request, Response, Status};

#[derive(Default)]
struct Service { store: Store }

#[derive(Default)]
struct Store { values: Mutex<HashMap<String, String>> }

struct Broken;

impl From<Broken> for Status {
    fn from(_: Broken) -> Self { Status::unavailable("the store is broken") }
}

impl Store {
    #[inline(never)]
    async fn find(&self, key: &str) -> Result<Option<String>, Broken> {
        let mut waited = key.len() % 2 == 0;
        std::future::poll_fn(|cx| {
            if waited { return Poll::Ready(()); }
            waited = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }).await;
        Ok(self.values.lock().map_err(|_| Broken)?.get(key).cloned())
    }
}

fn main() {
    for path in std::env::args() {
        println!("{}", call(path));
    }
}

/// Polls twice, which is what the store needs.
fn poll<F: Future>(future: F) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    (0..2).any(|_| future.as_mut().poll(&mut context).is_ready())
}
"#;

fn handler(i: usize) -> String {
    format!(
        r#"
    async fn method_{i}(&self, request: Request<Get{i}>) -> Result<Response<Got{i}>, Status> {{
        let Get{i} {{ key, page }} = request.into_inner();
        if key.is_empty() {{
            return Err(Status::invalid_argument("a key is needed"));
        }}
        let found = self.store.find(&key).await?;
        let value = found.ok_or_else(|| Status::not_found(format!("no {{key}}")))?;
        Ok(Response::new(Got{i} {{ key, value, next: page + {i} }}))
    }}
"#
    )
}

fn declaration(i: usize) -> String {
    format!(
        "async fn method_{i}(&self, request: Request<Get{i}>) -> Result<Response<Got{i}>, Status>;\n"
    )
}

/// A derive, and the attributes of a string and of a number.
type Kind = [&'static str; 3];
const PLAIN: Kind = ["Clone, PartialEq, Default", "", ""];
const PROST: Kind = ["Clone, PartialEq, prost::Message", "string", "uint32"];

fn messages(i: usize, [derive, string, number]: Kind) -> String {
    let field = |kind: &str, tag: usize| match kind {
        "" => String::new(),
        _ => format!("#[prost({kind}, tag = \"{tag}\")]"),
    };
    let (key, value) = (field(string, 1), field(string, 2));
    let (page, next) = (field(number, 2), field(number, 3));
    format!(
        "#[derive({derive})]
pub struct Get{i} {{ {key} pub key: String, {page} pub page: u32 }}
#[derive({derive})]
pub struct Got{i} {{ {key} pub key: String, {value} pub value: String, {next} pub next: u32 }}
"
    )
}

const PLAIN_CALL: &str = "
pub fn call(path: String) -> bool
";

fn plain_arm(i: usize) -> String {
    format!(
        "\"/bench.Bench/Method{i}\" => {{
    let service = Service::default();
    poll(service.method_{i}(Request::new(Get{i} {{ key: path, page: 1 }})))
}}
"
    )
}

const SERVER_CALL: &str = r"
mod server_caller {
    use super::*;
    use tonic::codegen::Service as _;

    pub fn call(path: String) -> bool {
        let mut server = pb::bench_server::BenchServer::new(Service::default());
        let request = tonic::codegen::http::Request::builder().uri(path).body(tonic::body::Body::empty());
        poll(server.call(request.unwrap_or_default()))
    }
}
";

/// The server as `tonic-build` writes it.
fn server(declarations: &str, arms: &str) -> String {
    format!(
        r"
pub mod bench_server {{
    use super::*;
    use tonic::codegen::*;

    #[async_trait]
    pub trait Bench: Send + Sync + 'static {{{declarations}}}

    #[derive(Debug)]
    pub struct BenchServer<T> {{
        inner: Arc<T>,
        accept_compression_encodings: EnabledCompressionEncodings,
        send_compression_encodings: EnabledCompressionEncodings,
        max_decoding_message_size: Option<usize>,
        max_encoding_message_size: Option<usize>,
    }}

    impl<T> BenchServer<T> {{
        pub fn new(inner: T) -> Self {{
            Self {{
                inner: Arc::new(inner),
                accept_compression_encodings: Default::default(),
                send_compression_encodings: Default::default(),
                max_decoding_message_size: None,
                max_encoding_message_size: None,
            }}
        }}
    }}

    impl<T, B> tonic::codegen::Service<http::Request<B>> for BenchServer<T>
    where
        T: Bench,
        B: Body + std::marker::Send + 'static,
        B::Error: Into<StdError> + std::marker::Send + 'static,
    {{
        type Response = http::Response<tonic::body::Body>;
        type Error = std::convert::Infallible;
        type Future = BoxFuture<Self::Response, Self::Error>;

        fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<std::result::Result<(), Self::Error>> {{
            Poll::Ready(Ok(()))
        }}

        fn call(&mut self, req: http::Request<B>) -> Self::Future {{
            match req.uri().path() {{
                {arms}
                _ => Box::pin(async move {{
                    let mut response = http::Response::new(tonic::body::Body::default());
                    let headers = response.headers_mut();
                    headers.insert(
                        tonic::Status::GRPC_STATUS,
                        (tonic::Code::Unimplemented as i32).into(),
                    );
                    headers.insert(http::header::CONTENT_TYPE, tonic::metadata::GRPC_CONTENT_TYPE);
                    Ok(response)
                }}),
            }}
        }}
    }}
}}
"
    )
}

fn server_arm(i: usize) -> String {
    format!(
        r#"
"/bench.Bench/Method{i}" => {{
    struct Method{i}Svc<T: Bench>(pub Arc<T>);
    impl<T: Bench> tonic::server::UnaryService<Get{i}> for Method{i}Svc<T> {{
        type Response = Got{i};
        type Future = BoxFuture<tonic::Response<Self::Response>, tonic::Status>;
        fn call(&mut self, request: tonic::Request<Get{i}>) -> Self::Future {{
            let inner = Arc::clone(&self.0);
            let fut = async move {{ <T as Bench>::method_{i}(&inner, request).await }};
            Box::pin(fut)
        }}
    }}
    let accept_compression_encodings = self.accept_compression_encodings;
    let send_compression_encodings = self.send_compression_encodings;
    let max_decoding_message_size = self.max_decoding_message_size;
    let max_encoding_message_size = self.max_encoding_message_size;
    let inner = self.inner.clone();
    let fut = async move {{
        let method = Method{i}Svc(inner);
        let codec = tonic_prost::ProstCodec::default();
        let mut grpc = tonic::server::Grpc::new(codec)
            .apply_compression_config(accept_compression_encodings, send_compression_encodings)
            .apply_max_message_size_config(max_decoding_message_size, max_encoding_message_size);
        let res = grpc.unary(method, req).await;
        Ok(res)
    }};
    Box::pin(fut)
}}
"#
    )
}
