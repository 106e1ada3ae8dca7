//! What is right compiles without a word, and runs: the programs in `ui/pass`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use support::process::output_in_time;

macro_rules! programs {
    ($($name:literal)*) => {
        [$(($name, env!(concat!("CARGO_BIN_EXE_", $name)))),*]
    };
}

#[test]
fn what_is_right_compiles_and_runs() {
    let programs = programs!(
        "errors_of_their_own"
        "helper_attributes"
        "hostile_crate_root"
        "instance_of_any_form"
        "latencies"
        "native_async_fn"
        "runtime_at_any_path"
        "service_label_of_any_constant"
        "strict_lints"
    );
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/pass");
    let files = files.read_dir().unwrap().map(|file| file.unwrap().path());
    let files = files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned());
    let names = programs.iter().map(|(name, _)| (*name).to_owned());
    assert_eq!(names.collect::<BTreeSet<_>>(), files.collect());
    for (name, program) in programs {
        let output = output_in_time(&mut Command::new(program));
        assert!(output.status.success(), "{name}: {output:?}");
    }
}
