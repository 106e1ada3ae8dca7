//! Real clients that call every method in every way it can end.
//!
//! Traffic comes in rounds. A round is fair weather, in which calls succeed or meet the errors that
//! they ask for, then an outage of the database, one of the cache, and a database so slow that
//! clients give up. Or all is fair weather, for an outage that somebody else makes.

mod case;
mod cases;
mod tally;
#[cfg(test)]
mod tests;
mod trace;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{self, MissedTickBehavior},
};
use tonic::{
    Code,
    service::interceptor::InterceptedService,
    transport::{Endpoint, Error},
};

use crate::store::{Faults, Store};
use case::{Case, Seen::Answer};
use trace::{Channel, WithTrace};

pub(crate) use tally::{GivenUp, Tally};

const AT_ONCE: usize = 32;
const PACE: Duration = Duration::from_millis(4);
/// Of each round: one pass with the errors, the others without, as most calls succeed.
const PASSES: u64 = 4;
/// Longer than any client waits.
const SLOWNESS: Duration = Duration::from_secs(5);

/// What the back end goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fair,
    DatabaseDown,
    CacheDown,
    Slow,
}

impl Weather {
    const ALL: &[Self] = &[Self::Fair, Self::DatabaseDown, Self::CacheDown, Self::Slow];

    fn set(self, faults: &Faults) {
        faults.clear();
        match self {
            Self::Fair => {}
            Self::DatabaseDown => faults.fail_database(),
            Self::CacheDown => faults.fail_cache(),
            Self::Slow => faults.slow_down(SLOWNESS),
        }
    }
}

pub(crate) struct Traffic {
    channel: Channel,
    store: Arc<Store>,
    tally: Arc<Tally>,
    only_fair: bool,
    stop: watch::Receiver<bool>,
}

impl Traffic {
    /// Traffic that calls `address` and ends soon after `stop` turns true.
    pub(crate) fn new(
        address: SocketAddr,
        store: Arc<Store>,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, Error> {
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_lazy();
        let channel = InterceptedService::new(channel, WithTrace);
        Ok(Self { channel, store, tally: Arc::default(), only_fair: false, stop })
    }

    /// Without calls that end by the server's fault, unless something else breaks.
    pub(crate) fn in_fair_weather(self) -> Self {
        Self { only_fair: true, ..self }
    }

    pub(crate) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Returns when every call that was begun has ended.
    pub(crate) async fn run(self) {
        let weathers = if self.only_fair { &[Weather::Fair][..] } else { Weather::ALL };
        let mut pass = 0;
        loop {
            for &weather in weathers {
                weather.set(&self.store.faults);
                self.run_all(self.script(pass, weather)).await;
            }
            pass += 1;
            Weather::Fair.set(&self.store.faults);
            for _ in 1..PASSES {
                let successes = self.script(pass, Weather::Fair);
                self.run_all(successes.filter(|case| case.expected == Answer(Code::Ok))).await;
                pass += 1;
            }
            if self.stopped() {
                break;
            }
        }
        self.store.faults.clear();
    }

    fn script(&self, pass: u64, weather: Weather) -> impl Iterator<Item = Case> {
        let mut cases = cases::all(&self.channel, pass);
        cases.retain(|case| case.weather == weather);
        if self.only_fair {
            // A deadline that passes counts as the server's fault, however short the client set it.
            cases.retain(|case| case.expected != Answer(Code::DeadlineExceeded));
        }
        // The first thing that Nova does is to call every method once, however soon it has to end.
        cases.sort_by_key(|case| case.expected != Answer(Code::Ok));
        cases.into_iter()
    }

    async fn run_all(&self, cases: impl Iterator<Item = Case>) {
        let mut pace = time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut running = JoinSet::new();
        for case in cases {
            if self.stopped() && !self.tally.is_new(case.rpc) {
                continue;
            }
            pace.tick().await;
            if running.len() >= AT_ONCE {
                running.join_next().await;
            }
            let tally = Arc::clone(&self.tally);
            running.spawn(async move { case.run(&tally).await });
        }
        while running.join_next().await.is_some() {}
    }

    fn stopped(&self) -> bool {
        *self.stop.borrow()
    }
}
