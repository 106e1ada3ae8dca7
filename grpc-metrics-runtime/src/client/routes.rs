//! From the method that a generated client names to its counters.

use std::array;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use tonic::GrpcMethod;

use crate::GrpcMetrics;
use crate::catalog::MethodKey;
use crate::rpc::Target;

/// The lists of methods. A generated client has few methods, a program some hundred.
const LISTS: usize = 256;

/// The most methods that are told apart. Generated clients name so many; a program that makes names up does not fill
/// the memory.
const MOST_METHODS: usize = 10_000;

/// The methods that a layer has seen.
#[derive(Debug)]
pub(super) struct Routes {
    /// `None` for the process-wide instance.
    metrics: Option<GrpcMetrics>,
    target: &'static str,
    lists: [OnceLock<Box<Seen>>; LISTS],
    seen: AtomicUsize,
    other: OnceLock<Route>,
}

/// Where the calls of a method count.
#[derive(Debug)]
pub(super) struct Route {
    /// `service/method`.
    pub(super) path: &'static str,
    pub(super) counters: Target,
}

/// An entry of a list, which only grows.
#[derive(Debug)]
struct Seen {
    service: &'static str,
    method: &'static str,
    route: Route,
    next: OnceLock<Box<Seen>>,
}

impl Routes {
    pub(super) fn new(metrics: Option<GrpcMetrics>, target: &'static str) -> Self {
        let lists = array::from_fn(|_| OnceLock::new());
        Self { metrics, target, lists, seen: AtomicUsize::new(0), other: OnceLock::new() }
    }

    /// Returns where a method counts; `other` for a request that names none.
    pub(super) fn find(&self, named: Option<&GrpcMethod<'static>>) -> &Route {
        let Some(named) = named else { return self.other() };
        let (service, method) = (named.service(), named.method());
        let mut place = &self.lists[list_of(service, method)];
        loop {
            let seen = match place.get() {
                Some(seen) => seen,
                None if self.is_full() => return self.other(),
                None => place.get_or_init(|| Box::new(self.see(service, method))),
            };
            if seen.method == method && seen.service == service {
                return &seen.route;
            }
            place = &seen.next;
        }
    }

    fn is_full(&self) -> bool {
        // Relaxed: threads may exceed the limit by one each.
        self.seen.load(Ordering::Relaxed) >= MOST_METHODS
    }

    /// Allocates, once per method. `GrpcMethod` gives its texts for no longer than it lives.
    fn see(&self, service: &str, method: &str) -> Seen {
        // Relaxed: see `is_full`.
        self.seen.fetch_add(1, Ordering::Relaxed);
        let path = leaked(format!("{service}/{method}"));
        let (service, method) = (&path[..service.len()], &path[service.len() + 1..]);
        let route = self.route(path, service, method);
        Seen { service, method, route, next: OnceLock::new() }
    }

    fn other(&self) -> &Route {
        self.other.get_or_init(|| self.route("other/other", "other", "other"))
    }

    fn route(&self, path: &'static str, service: &'static str, method: &'static str) -> Route {
        let metrics = self.metrics.as_ref().unwrap_or_else(|| GrpcMetrics::global());
        let key = MethodKey::client(service, method).with_target(self.target);
        Route { path, counters: Target::Own(metrics.by_key(key, None)) }
    }
}

/// Leaks a path once, however many layers see it: a program may make a layer for each connection.
fn leaked(path: String) -> &'static str {
    static PATHS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut paths = PATHS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = paths.get(path.as_str()) {
        return known;
    }
    let path = Box::leak(path.into_boxed_str());
    paths.insert(path);
    path
}

/// Spreads methods over the lists. No client of ours chooses them.
fn list_of(service: &str, method: &str) -> usize {
    let mix = |hash: usize, byte: u8| hash.wrapping_mul(31).wrapping_add(byte.into());
    // Services mostly differ in their length or their last letters.
    let ends = service.bytes().rev().take(4).chain(method.bytes());
    ends.fold(service.len(), mix) % LISTS
}
