//! Python with packages of its own. Needs `python3` and its `venv`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter that `variable` names, or of a virtual environment that is made now in `directory` and has
/// what the file `requirements` lists.
pub fn with_packages(variable: &str, directory: &Path, requirements: &Path) -> PathBuf {
    if let Some(python) = std::env::var_os(variable) {
        return python.into();
    }
    let python = directory.join("bin/python");
    let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
    run(Command::new("python3").args(["-m", "venv"]).arg(directory));
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements));
    python
}
