//! Nova: a back end of six services that call each other, under traffic, with its exported metrics as a live table.

mod args;
mod calls;
mod check;
mod child;
mod children;
mod naming;
#[path = "../namings.rs"]
mod namings;
mod pb;
mod peers;
mod pushes;
mod run;
mod sample;
mod scrape;
mod screen;
mod server;
mod servers;
mod service;
mod services;
mod signals;
mod store;
mod system;
mod table;
mod tokens;
mod traces;
mod traffic;
mod weather;
mod window;

use std::process::ExitCode;

use args::Command;
use run::Failure;

const DIFFERENT: u8 = 1;
const NOT_STARTED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let args = match args::parse(lexopt::Parser::from_env()) {
        Ok(Command::Run(args)) => args,
        Ok(Command::Help) => {
            let _ = screen::print([args::HELP.trim_end().to_owned()]);
            return ExitCode::SUCCESS;
        }
        Err(message) => return fail(NOT_STARTED, &format!("{message} (see --help)")),
    };
    match run::run(args).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(DIFFERENT),
        Err(Failure::Start(message)) => fail(NOT_STARTED, &message),
        Err(Failure::Running(message)) => fail(DIFFERENT, &message),
    }
}

fn fail(code: u8, message: &str) -> ExitCode {
    screen::print_error(message);
    ExitCode::from(code)
}
