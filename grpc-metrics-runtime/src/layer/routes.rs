//! From a request's path to where its RPC counts.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use crate::GrpcMetrics;
use crate::catalog::{self, MethodKey};
use crate::rpc::Target;

/// The most methods that are learned of one service. Clients choose paths.
const MOST_LEARNED: usize = 64;

#[derive(Debug)]
pub(super) struct Routes {
    metrics: GrpcMetrics,
    /// By path. `None` for methods that are not measured.
    known: HashMap<String, Option<Route>, BuildHasherDefault<PathHasher>>,
    services: Vec<Learning>,
    other: Route,
}

/// Where an RPC counts.
#[derive(Debug)]
pub(super) struct Route {
    /// The method that the path names.
    pub(super) method: Option<MethodKey>,
    /// The counters of the handler, if they are expected, and else of an RPC that no handler claims.
    pub(super) target: Target,
    /// Whether the path says enough.
    pub(super) expected: bool,
}

/// A service of which nothing but the name is known, and its methods that were seen.
#[derive(Debug)]
struct Learning {
    service: &'static str,
    /// A list that only grows.
    first: OnceLock<Box<Learned>>,
}

#[derive(Debug)]
struct Learned {
    method: &'static str,
    route: Route,
    next: OnceLock<Box<Learned>>,
}

impl Routes {
    /// `metrics` is the process-wide instance if none is given.
    pub(super) fn new(metrics: Option<&GrpcMetrics>, services: &[&'static str]) -> Self {
        let is_global = metrics.is_none();
        let metrics = metrics.unwrap_or_else(|| GrpcMetrics::global()).clone();
        let known = catalog::services().iter().flat_map(|service| {
            service.methods.iter().map(|method| (service.chooses_instance, *method))
        });
        let known = known.map(|(chooses_instance, method)| {
            let target = if chooses_instance && !is_global {
                Target::Own(metrics.method(method))
            } else {
                Target::Global(GrpcMetrics::of_global(method))
            };
            // Of the process-wide instance, which need not be the layer's.
            target.show_sizes();
            // If it chooses its instance, the handler alone says which.
            let expected = !(chooses_instance && is_global);
            let route = Route { method: Some(method.key()), target, expected };
            (path(method.key()), Some(route))
        });
        let skipped = catalog::services().iter().flat_map(|service| {
            let skipped = service.skipped.iter();
            skipped.map(|method| (path(MethodKey::server(service.name, method)), None))
        });
        Self {
            known: skipped.chain(known).collect(),
            services: services
                .iter()
                .map(|service| Learning { service, first: OnceLock::new() })
                .collect(),
            other: Route {
                method: None,
                target: Target::Own(metrics.by_key(MethodKey::OTHER, None)),
                expected: false,
            },
            metrics,
        }
    }

    /// Where an RPC with this path counts; `None` if its method is not measured.
    pub(super) fn find(&self, path: &str) -> Option<&Route> {
        match self.known.get(path) {
            Some(route) => route.as_ref(),
            None => Some(self.learned(path).unwrap_or(&self.other)),
        }
    }

    /// Where a method counts that is learned already.
    fn learned(&self, path: &str) -> Option<&Route> {
        let (learning, method) = self.learning(path)?;
        learning.methods().find(|learned| learned.method == method).map(|learned| &learned.route)
    }

    /// Whether the path is not known, and names a service whose methods are learned.
    pub(super) fn may_learn(&self, route: &Route, path: &str) -> bool {
        route.method.is_none() && self.learning(path).is_some()
    }

    /// The service that the path names if its methods are learned, and the method.
    fn learning<'p>(&self, path: &'p str) -> Option<(&Learning, &'p str)> {
        if self.services.is_empty() {
            return None;
        }
        let (service, method) = split(path)?;
        let learning = self.services.iter().find(|learning| learning.service == service)?;
        Some((learning, method))
    }

    /// Learns a method that a service without an attribute has accepted. `None` if the path names no such service, or it has
    /// too many methods.
    pub(super) fn learn(&self, path: &str) -> Option<&Target> {
        let (learning, method) = self.learning(path)?;
        let mut place = &learning.first;
        for _ in 0..MOST_LEARNED {
            let learned = place.get_or_init(|| {
                // Leaked: so many for each service that the program names.
                let method: &'static str = Box::leak(method.to_owned().into_boxed_str());
                let key = MethodKey::server(learning.service, method);
                let target = Target::Own(self.metrics.by_key(key, None));
                let route = Route { method: Some(key), target, expected: true };
                Box::new(Learned { method, route, next: OnceLock::new() })
            });
            if learned.method == method {
                return Some(&learned.route.target);
            }
            place = &learned.next;
        }
        None
    }
}

impl Learning {
    fn methods(&self) -> impl Iterator<Item = &Learned> {
        let first = self.first.get();
        std::iter::successors(first, |learned| learned.next.get()).map(|learned| &**learned)
    }
}

/// The hash of a path, eight bytes at a time. Only the program adds paths, so nobody can make the table's collide.
#[derive(Debug, Default)]
struct PathHasher(u64);

impl PathHasher {
    fn add(&mut self, word: u64) {
        // As FxHash does.
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for PathHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        self.add(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }

    fn write_u8(&mut self, byte: u8) {
        self.add(byte.into());
    }

    fn finish(&self) -> u64 {
        // The high bits are the better ones, and the table uses the low ones, too.
        self.0.rotate_left(32)
    }
}

fn path(MethodKey { service, method, .. }: MethodKey) -> String {
    format!("/{service}/{method}")
}

/// `/pkg.Service/Method`.
fn split(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix('/')?.split_once('/')
}
