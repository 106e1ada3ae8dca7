//! Compiles the protos, and writes those that nobody would want to write: nine packages with a
//! `QueryService` each, and a service of 177 methods with its impl.

use std::fmt::Write as _;
use std::{env, error::Error, fs, path::Path};

use prost::Message as _;
use tonic_prost_build::configure;

const QUERIES: [&str; 9] =
    ["auth", "bank", "distribution", "evidence", "gov", "mint", "params", "slashing", "staking"];
const METHODS: usize = 177;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    for package in QUERIES {
        fs::write(out.join(format!("{package}.proto")), query(package))?;
    }
    let (proto, impl_) = wide();
    fs::write(out.join("wide.proto"), proto)?;
    fs::write(out.join("wide_impl.rs"), impl_)?;

    let interop = protox::compile(["interop.proto"], ["proto"])?;
    fs::write(out.join("interop.bin"), interop.encode_to_vec())?;
    configure().compile_fds(interop)?;

    let library = protox::compile(["library.proto"], ["proto"])?;
    configure().compile_fds(library.clone())?;
    let arc = out.join("arc");
    fs::create_dir_all(&arc)?;
    configure().use_arc_self(true).out_dir(arc).compile_fds(library)?;

    let generated = QUERIES.iter().copied().chain(["wide"]);
    let generated = protox::compile(generated.map(|name| format!("{name}.proto")), [out])?;
    configure().compile_fds(generated)?;
    Ok(())
}

fn query(package: &str) -> String {
    format!(
        "syntax = \"proto3\";
package chain.{package}.v1;
service QueryService {{
  rpc Params(QueryRequest) returns (QueryResponse);
  rpc Subscribe(QueryRequest) returns (stream QueryResponse);
}}
message QueryRequest {{ uint64 height = 1; }}
message QueryResponse {{ string answer = 1; }}
"
    )
}

/// The proto, and the impl with a function that calls every method once.
fn wide() -> (String, String) {
    let (mut rpcs, mut methods, mut calls) = (String::new(), String::new(), String::new());
    for i in 1..=METHODS {
        let _ = writeln!(rpcs, "  rpc Method{i}(Ask) returns (Answer);");
        let _ = writeln!(
            methods,
            "    async fn method{i}(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {{
        answer({i}, request)
    }}"
        );
        let _ = writeln!(calls, "    check({i}, client.method{i}(ask()).await);");
    }
    let proto = format!(
        "syntax = \"proto3\";
package wide.v1;
service Wide {{
{rpcs}}}
message Ask {{}}
message Answer {{ uint32 number = 1; }}
"
    );
    let impl_ = format!(
        "#[instrument_grpc(service = wide_server::SERVICE_NAME)]
#[tonic::async_trait]
impl wide_server::Wide for Wide {{
{methods}}}

#[allow(clippy::too_many_lines)]
async fn call_all(client: &mut wide_client::WideClient<Channel>) {{
{calls}}}
"
    );
    (proto, impl_)
}
