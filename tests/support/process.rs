//! Programs that run beside a test, and what they print; and tests that are programs of their own.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a program may say nothing.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program that ends with the test, and its directory with it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    directory: Option<PathBuf>,
}

impl Process {
    pub fn start(command: &mut Command) -> Self {
        let child = command.spawn().expect("the program is not installed");
        Self { child, directory: None }
    }

    pub fn output(&mut self) -> Lines<ChildStdout> {
        Lines::of(self.child.stdout.take().unwrap())
    }

    pub fn errors(&mut self) -> Lines<ChildStderr> {
        Lines::of(self.child.stderr.take().unwrap())
    }

    /// Removes the directory, too, when it ends.
    #[must_use]
    pub fn with_directory(mut self, directory: PathBuf) -> Self {
        self.directory = Some(directory);
        self
    }

    /// Ctrl-C, and the exit code.
    pub fn interrupt(mut self) -> Option<i32> {
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

/// What a program prints up to its end. One that hangs is ended, and fails the test.
pub fn output_in_time(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id().to_string();
    let (send, ended) = mpsc::channel();
    thread::spawn(move || send.send(child.wait_with_output()));
    if let Ok(output) = ended.recv_timeout(PATIENCE) {
        return output.unwrap();
    }
    let _ = Command::new("kill").args(["-KILL", &id]).status();
    panic!("hangs: {command:?}");
}

/// Runs the test around it in a process of its own, for what a process has only once: `true` if that was done
/// now and went well, `false` in that process.
///
/// ```ignore
/// #[test]
/// fn a_global_is_set() {
///     if support::ran_alone!(a_global_is_set) {
///         return;
///     }
///     // …
/// }
/// ```
#[macro_export]
macro_rules! ran_alone {
    ($test:ident) => {
        $crate::process::ran_alone(concat!(module_path!(), "::", stringify!($test)))
    };
}

/// See the macro of this name.
pub fn ran_alone(path: &str) -> bool {
    const TEST: &str = "TEST_ALONE";
    let (_, test) = path.split_once("::").expect("a path behind the crate's name");
    if env::var_os(TEST).is_some_and(|alone| alone == test) {
        return false;
    }
    let mut alone = Command::new(env::current_exe().unwrap());
    alone.args([test, "--exact", "--include-ignored", "--nocapture"]).env(TEST, test);
    let output = output_in_time(&mut alone);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let passed = output.status.success() && stdout.contains("test result: ok. 1 passed;");
    assert!(passed, "{test}, in a process of its own:\n{stdout}{stderr}");
    true
}

/// What a program prints, line by line, without waiting for ever.
#[derive(Debug)]
pub struct Lines<R> {
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
    pub fn until(&self, is: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| is(line)) {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => lines.push(line),
                Err(error) => panic!("{error} after {lines:#?}"),
            }
        }
        lines
    }
}
