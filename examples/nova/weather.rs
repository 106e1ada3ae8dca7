//! What is broken, and in whose store.

use std::{str::FromStr, sync::Arc};

use crate::{children::Controls, store::Faults};

/// The state of the back end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    Fair,
    DatabaseDown,
    CacheDown,
    Slow,
    /// Everything fails, after a while.
    Outage,
}

impl Weather {
    const ALL: [Self; 5] =
        [Self::Fair, Self::DatabaseDown, Self::CacheDown, Self::Slow, Self::Outage];

    /// As a parent process tells its children.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fair => "fair",
            Self::DatabaseDown => "database-down",
            Self::CacheDown => "cache-down",
            Self::Slow => "slow",
            Self::Outage => "outage",
        }
    }
}

impl FromStr for Weather {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|weather| weather.name() == name).ok_or(())
    }
}

/// The services' stores: the one in this process, or one in each child process.
#[derive(Clone)]
pub(crate) enum Stores {
    Here(Arc<Faults>),
    Children(Controls),
}

impl Stores {
    /// Returns when it applies everywhere.
    pub(crate) async fn set(&self, weather: Weather) {
        match self {
            Self::Here(faults) => faults.set(weather),
            Self::Children(controls) => controls.set(weather).await,
        }
    }
}
