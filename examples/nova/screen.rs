//! Shows the live table: repainted in a terminal, as a log anywhere else.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use terminal_size::{Height, Width, terminal_size};

use crate::{table, window::Window};

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
const TOP: &str = "\x1b[H";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";
const END_OF_LINE: &str = "\x1b[K";
const REST_OF_SCREEN: &str = "\x1b[J";

/// Repaints per page.
const PAGE_STAYS: usize = 4;

pub(crate) enum Screen {
    /// The terminal's alternate screen, which preserves the previous content.
    Terminal {
        title: String,
        paints: usize,
    },
    Log,
}

impl Screen {
    pub(crate) fn open(title: String) -> io::Result<Self> {
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        if dumb || !io::stdout().is_terminal() {
            print([format!("Nova  {title}")])?;
            return Ok(Self::Log);
        }
        write(ENTER)?;
        Ok(Self::Terminal { title, paints: 0 })
    }

    pub(crate) fn show(&mut self, window: &Window, running: Duration) -> io::Result<()> {
        match self {
            Self::Log => print(table::log_line(window, running.as_secs())),
            Self::Terminal { title, paints } => {
                let (Width(width), Height(height)) =
                    terminal_size().unwrap_or((Width(80), Height(24)));
                let size = (usize::from(width), usize::from(height));
                let lines = table::live(window, title, *paints / PAGE_STAYS, size);
                *paints += 1;
                write(&paint(&lines))
            }
        }
    }

    /// A message instead of the table.
    pub(crate) fn warn(&mut self, what: &str) -> io::Result<()> {
        match self {
            Self::Log => print([what.to_owned()]),
            Self::Terminal { .. } => write(&format!("{TOP}{what}{END_OF_LINE}")),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Self::Terminal { .. } = self {
            // There is nowhere to report a failure.
            let _ = write(LEAVE);
        }
    }
}

/// Highlights services and titles. Writes no newline after the last line, or the window would scroll.
fn paint(lines: &[String]) -> String {
    let painted: Vec<_> = lines
        .iter()
        .map(|line| {
            if line.starts_with(' ') {
                format!("{line}{END_OF_LINE}")
            } else {
                format!("{BOLD}{line}{PLAIN}{END_OF_LINE}")
            }
        })
        .collect();
    format!("{TOP}{}{REST_OF_SCREEN}", painted.join("\n"))
}

/// Unlike `println!`, does not panic if stdout is closed.
pub(crate) fn print(lines: impl IntoIterator<Item = String>) -> io::Result<()> {
    lines.into_iter().try_for_each(|line| write(&format!("{line}\n")))
}

/// Writes a line to stderr. If stderr is closed, the exit code still has the result.
pub(crate) fn print_error(what: &str) {
    let _ = writeln!(io::stderr(), "nova: {what}");
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
