//! Clients that call every method with every possible ending.
//!
//! Traffic comes in rounds. In a round, calls first succeed or fail as intended. Then come an
//! outage of the database, one of the cache, and a database so slow that clients give up. With
//! `--outage`, there are no such rounds: Nova itself breaks the store once.

mod case;
mod cases;
mod channel;
mod tally;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{self, MissedTickBehavior},
};
use tonic::{Code, transport::Error};

use crate::{
    service::{Addresses, Service},
    weather::{Stores, Weather},
};
use case::{Case, Seen::Answer};
use channel::{Channel, channel};

pub(crate) use tally::{Counts, GivenUp, Tally};

const AT_ONCE: usize = 32;
const PACE: Duration = Duration::from_millis(4);
/// Passes per round: one with errors, the others without, as most calls succeed.
const PASSES: u64 = 4;

/// What a round breaks, in this order.
const WEATHERS: &[Weather] =
    &[Weather::Fair, Weather::DatabaseDown, Weather::CacheDown, Weather::Slow];

/// A channel to each service.
struct Channels(BTreeMap<Service, Channel>);

impl Channels {
    fn to(addresses: &Addresses) -> Result<Self, Error> {
        let to = |service| Ok((service, channel(addresses.of(service))?));
        Ok(Self(Service::ALL.into_iter().map(to).collect::<Result<_, _>>()?))
    }

    fn of(&self, service: Service) -> Channel {
        self.0[&service].clone()
    }
}

pub(crate) struct Traffic {
    channels: Channels,
    stores: Stores,
    tally: Arc<Tally>,
    only_fair: bool,
    stop: watch::Receiver<bool>,
}

impl Traffic {
    /// Creates traffic that calls the services and ends soon after `stop` becomes true.
    pub(crate) fn new(
        addresses: &Addresses,
        stores: Stores,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, Error> {
        let channels = Channels::to(addresses)?;
        Ok(Self { channels, stores, tally: Arc::default(), only_fair: false, stop })
    }

    /// Without calls that end with a server-fault code, unless something else breaks.
    pub(crate) fn in_fair_weather(self) -> Self {
        Self { only_fair: true, ..self }
    }

    pub(crate) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Returns when every started call has ended.
    pub(crate) async fn run(self) {
        let weathers = if self.only_fair { &[Weather::Fair] } else { WEATHERS };
        let mut pass = 0;
        loop {
            for &weather in weathers {
                self.set(weather).await;
                self.run_all(self.script(pass, weather)).await;
            }
            pass += 1;
            self.set(Weather::Fair).await;
            for _ in 1..PASSES {
                let successes = self.script(pass, Weather::Fair);
                self.run_all(successes.filter(|case| case.expected == Answer(Code::Ok))).await;
                pass += 1;
            }
            if self.stopped() {
                break;
            }
        }
        self.set(Weather::Fair).await;
    }

    /// With only fair weather, somebody else may break the stores.
    async fn set(&self, weather: Weather) {
        if !self.only_fair {
            self.stores.set(weather).await;
        }
    }

    fn script(&self, pass: u64, weather: Weather) -> impl Iterator<Item = Case> {
        let mut cases = cases::all(&self.channels, pass);
        cases.retain(|case| case.weather == weather);
        if self.only_fair {
            // An exceeded deadline counts as a server fault, however short it was.
            cases.retain(|case| case.expected != Answer(Code::DeadlineExceeded));
        }
        // The first pass calls every method once, however soon Nova has to stop.
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
