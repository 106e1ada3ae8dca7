//! Fault injection: how often the database and the cache fail, and how long they take.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::StoreError;
use crate::weather::Weather;

/// Time after which an operation fails during an outage.
const OUTAGE_LATENCY: Duration = Duration::from_millis(250);
/// Longer than any client's timeout.
const SLOWNESS: Duration = Duration::from_secs(5);
const USUAL_LATENCY: Duration = Duration::from_millis(2);
/// One of this many operations is slow, as with a slow page or a lock.
const SLOW_ONE_IN: f64 = 1.0 / 40.0;

/// The failure rates and latencies of the store. All can change at run time.
pub(crate) struct Faults {
    /// The failure rate outside outages.
    usual: f64,
    database: Dial,
    cache: Dial,
    latency_us: AtomicU64,
    /// Whether every operation fails, independent of the rates.
    outage: AtomicBool,
    random: AtomicU64,
}

/// A probability.
struct Dial(AtomicU64);

impl Dial {
    fn new(rate: f64) -> Self {
        Self(AtomicU64::new(rate.to_bits()))
    }

    fn set(&self, rate: f64) {
        self.0.store(rate.to_bits(), Relaxed);
    }

    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }
}

impl Faults {
    pub(crate) fn new(rate: f64) -> Self {
        let faults = Self {
            usual: rate,
            database: Dial::new(rate),
            cache: Dial::new(rate),
            latency_us: AtomicU64::new(0),
            outage: AtomicBool::new(false),
            random: AtomicU64::new(0),
        };
        faults.set(Weather::Fair);
        faults
    }

    /// From now on. Operations take half to one and a half times the latency, some longer.
    pub(crate) fn set(&self, weather: Weather) {
        let rate = |broken| if broken { 1.0 } else { self.usual };
        self.database.set(rate(weather == Weather::DatabaseDown));
        self.cache.set(rate(weather == Weather::CacheDown));
        let latency = if weather == Weather::Slow { SLOWNESS } else { USUAL_LATENCY };
        self.latency_us.store(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX), Relaxed);
        self.outage.store(weather == Weather::Outage, Relaxed);
    }

    /// Simulates a database operation, with its latency and failure rate.
    pub(super) async fn database(&self) -> Result<(), StoreError> {
        if self.fails(&self.database).await { Err(StoreError::Database) } else { Ok(()) }
    }

    /// Simulates a cache operation.
    pub(super) async fn cache(&self) -> Result<(), StoreError> {
        if self.fails(&self.cache).await { Err(StoreError::Cache) } else { Ok(()) }
    }

    async fn fails(&self, dial: &Dial) -> bool {
        if self.outage.load(Relaxed) {
            tokio::time::sleep(OUTAGE_LATENCY).await;
            return true;
        }
        self.wait().await;
        self.random() < dial.get()
    }

    async fn wait(&self) {
        let slow = if self.random() < SLOW_ONE_IN { 5.0 } else { 1.0 };
        let latency = Duration::from_micros(self.latency_us.load(Relaxed));
        tokio::time::sleep(latency.mul_f64(slow * (0.5 + self.random()))).await;
    }

    /// Uniform in [0, 1) (splitmix64).
    fn random(&self) -> f64 {
        let mut x = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from((x >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
    }
}
