//! A collector that waits for the test.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use grpc_metrics_runtime::prometheus::core::{Collector, Desc};
use grpc_metrics_runtime::prometheus::proto::MetricFamily;
use grpc_metrics_runtime::prometheus::{IntGauge, Registry};

/// Holds whoever scrapes until it is opened, or dropped.
pub(crate) struct Gate(Arc<State>);

#[derive(Default)]
struct State {
    asked: AtomicUsize,
    inside: AtomicUsize,
    most: AtomicUsize,
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    /// Closed, and in this registry. Its one series says how often it had been asked.
    pub(crate) fn closed_in(registry: &Registry) -> Self {
        let state = Arc::<State>::default();
        let desc = Desc::new("gate".to_owned(), "gate".to_owned(), vec![], HashMap::new());
        let collector = Gated { desc: desc.expect("a legal name"), state: Arc::clone(&state) };
        registry.register(Box::new(collector)).expect("a new name");
        Self(state)
    }

    pub(crate) fn open(&self) {
        *self.0.open.lock().unwrap() = true;
        self.0.opened.notify_all();
    }

    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// How many have been inside at once.
    pub(crate) fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

struct Gated {
    desc: Desc,
    state: Arc<State>,
}

impl Collector for Gated {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let State { asked, inside, most, open, opened } = &*self.state;
        let asked = asked.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
        inside.fetch_sub(1, Ordering::SeqCst);
        let gauge = IntGauge::new("gate", "gate").expect("a legal name");
        gauge.set(i64::try_from(asked).expect("small"));
        gauge.collect()
    }
}
