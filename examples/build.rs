//! Compiles the protos without protoc, and keeps their descriptors for reflection.

use std::{env, error::Error, fs, path::Path};

use prost::Message as _;

const SETS: [(&str, &[&str]); 2] = [
    ("greeter", &["greeter.proto"]),
    (
        "nova",
        &[
            "nova/auth.proto",
            "nova/content.proto",
            "nova/feed.proto",
            "nova/messaging.proto",
            "nova/streaming.proto",
            "nova/user.proto",
        ],
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = env::var("OUT_DIR")?;
    for (name, protos) in SETS {
        let descriptors = protox::compile(protos, ["proto"])?;
        // The file that `tonic::include_file_descriptor_set!` includes.
        let set = Path::new(&out).join(format!("{name}.bin"));
        fs::write(set, descriptors.encode_to_vec())?;
        tonic_prost_build::configure().build_client(true).compile_fds(descriptors)?;
    }
    Ok(())
}
