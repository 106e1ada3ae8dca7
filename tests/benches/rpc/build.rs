//! Compiles the proto without `protoc`.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=bench.proto");
    let files = protox::compile(["bench.proto"], ["."])?;
    tonic_prost_build::configure().compile_fds(files.clone())?;
    // The client once more, measured.
    let dir = Path::new(&env::var("OUT_DIR")?).join("measured");
    fs::create_dir_all(&dir)?;
    tonic_prost_build::configure()
        .build_server(false)
        .client_mod_attribute(".", "#[::grpc_metrics_runtime::instrument_grpc_client]")
        .extern_path(".bench.v1.Name", "crate::pb::Name")
        .extern_path(".bench.v1.Many", "crate::pb::Many")
        .extern_path(".bench.v1.Greeting", "crate::pb::Greeting")
        .out_dir(dir)
        .compile_fds(files)?;
    Ok(())
}
