//! Compiles the protos without protoc, and keeps their descriptors for reflection.

use std::{env, error::Error, fs, path::Path};

use prost::Message as _;

/// By package, without `nova.` and `.v1`.
const NOVA: [&str; 6] = ["auth", "content", "feed", "messaging", "streaming", "user"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);

    let greeter = protox::compile(["greeter.proto"], ["proto"])?;
    // The file that `tonic::include_file_descriptor_set!` includes.
    fs::write(out.join("greeter.bin"), greeter.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(greeter)?;

    let nova = protox::compile(NOVA.map(|name| format!("nova/{name}.proto")), ["proto"])?;
    fs::write(out.join("nova.bin"), nova.encode_to_vec())?;
    tonic_prost_build::configure()
        .client_mod_attribute(".", "#[::grpc_metrics_runtime::instrument_grpc_client]")
        .compile_fds(nova.clone())?;

    // The load is not part of the back end, so its clients are not measured. They use the same messages.
    let load = out.join("load");
    fs::create_dir_all(&load)?;
    let clients = tonic_prost_build::configure().build_server(false).out_dir(load);
    let same_message = |name| (format!(".nova.{name}.v1"), format!("crate::pb::{name}"));
    let clients = NOVA
        .map(same_message)
        .into_iter()
        .fold(clients, |clients, (proto, path)| clients.extern_path(proto, path));
    clients.compile_fds(nova)?;
    Ok(())
}
