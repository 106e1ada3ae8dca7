//! Compiles the protos without `protoc`.

use std::{env, error::Error, fs, path::Path};

use tonic_prost_build::configure;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = ["proto/scripted.proto", "proto/names.proto", "proto/metrics.proto"];
    let files = protox::compile(files, ["proto"])?;
    configure().compile_fds(files)?;
    collector()?;
    measured_client()?;
    shapes()
}

/// OpenTelemetry's service, with the messages of its crate.
fn collector() -> Result<(), Box<dyn Error>> {
    let package = "opentelemetry.proto.collector.metrics.v1";
    let module = "::opentelemetry_proto::tonic::collector::metrics::v1";
    let files = protox::compile(["proto/metrics_service.proto"], ["proto"])?;
    let mut builder = configure().build_client(false);
    for message in ["ExportMetricsServiceRequest", "ExportMetricsServiceResponse"] {
        let (proto, rust) = (format!(".{package}.{message}"), format!("{module}::{message}"));
        builder = builder.extern_path(proto, rust);
    }
    builder.compile_fds(files)?;
    Ok(())
}

/// The client of the scripted service with the attribute.
fn measured_client() -> Result<(), Box<dyn Error>> {
    let files = protox::compile(["proto/scripted.proto"], ["proto"])?;
    let dir = Path::new(&env::var("OUT_DIR")?).join("measured");
    fs::create_dir_all(&dir)?;
    configure()
        .build_server(false)
        .client_mod_attribute(".", "#[::grpc_metrics_runtime::instrument_grpc_client]")
        .extern_path(".testing.v1.Script", "crate::pb::Script")
        .extern_path(".testing.v1.Reply", "crate::pb::Reply")
        .out_dir(dir)
        .compile_fds(files)?;
    Ok(())
}

/// The same services in each form that tonic can give them.
fn shapes() -> Result<(), Box<dyn Error>> {
    let files = protox::compile(["proto/shapes.proto"], ["proto"])?;
    let forms = [
        ("pb", configure()),
        ("stubs", configure().generate_default_stubs(true)),
        ("arc", configure().use_arc_self(true)),
    ];
    for (form, builder) in forms {
        let dir = Path::new(&env::var("OUT_DIR")?).join(form);
        fs::create_dir_all(&dir)?;
        builder.out_dir(dir).compile_fds(files.clone())?;
    }
    Ok(())
}
