//! From a request's path to where its RPC counts.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use crate::GrpcMetrics;
use crate::catalog::{self, MethodKey};
use crate::grpc::MethodKind;
use crate::rpc::Target;

/// The most methods that are learned of one service. Clients choose paths.
const MOST_LEARNED: usize = 64;

#[derive(Debug)]
pub(super) struct Routes {
    metrics: GrpcMetrics,
    known: HashMap<String, Route>,
    /// Paths of methods that are not measured.
    skipped: HashSet<String>,
    services: Vec<Learning>,
    other: Target,
}

/// Where an RPC counts.
#[derive(Debug)]
pub(super) struct Route {
    /// The counters of the handler, as far as the path says.
    pub(super) expected: Option<Target>,
    /// What counts if no handler claims the RPC.
    pub(super) unclaimed: Target,
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
    target: Target,
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
            let own = || Target::Own(metrics.method(method));
            let global = || Target::Global(GrpcMetrics::of_global(method));
            let route = match (chooses_instance, is_global) {
                // The handler alone says which instance.
                (true, true) => Route { expected: None, unclaimed: global() },
                (true, false) => Route { expected: Some(own()), unclaimed: own() },
                (false, _) => Route { expected: Some(global()), unclaimed: global() },
            };
            (path(method.key()), route)
        });
        let skipped = catalog::services().iter().flat_map(|service| {
            service.skipped.iter().map(|method| path(MethodKey::server(service.name, method)))
        });
        Self {
            known: known.collect(),
            skipped: skipped.collect(),
            services: services
                .iter()
                .map(|service| Learning { service, first: OnceLock::new() })
                .collect(),
            other: Target::Own(metrics.by_key(MethodKey::OTHER, MethodKind::Unary)),
            metrics,
        }
    }

    pub(super) fn find(&self, path: &str) -> Option<&Route> {
        self.known.get(path)
    }

    /// Whether the path is that of a method under `#[skip_metrics]`.
    pub(super) fn is_skipped(&self, path: &str) -> bool {
        self.skipped.contains(path)
    }

    pub(super) fn other(&self) -> &Target {
        &self.other
    }

    /// The counters of a method that is learned already.
    pub(super) fn learned(&self, path: &str) -> Option<&Target> {
        let (service, method) = split(path)?;
        let learning = self.services.iter().find(|learning| learning.service == service)?;
        learning.methods().find(|learned| learned.method == method).map(|learned| &learned.target)
    }

    /// Learns a method that a service without an attribute has accepted. `None` if the path names no such service, or it has
    /// too many methods.
    pub(super) fn learn(&self, path: &str) -> Option<&Target> {
        let (service, method) = split(path)?;
        let learning = self.services.iter().find(|learning| learning.service == service)?;
        let mut place = &learning.first;
        for _ in 0..MOST_LEARNED {
            let learned = place.get_or_init(|| {
                // Leaked: so many for each service that the program names.
                let method: &'static str = Box::leak(method.to_owned().into_boxed_str());
                let key = MethodKey::server(learning.service, method);
                let target = Target::Own(self.metrics.by_key(key, MethodKind::Unary));
                Box::new(Learned { method, target, next: OnceLock::new() })
            });
            if learned.method == method {
                return Some(&learned.target);
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

fn path(MethodKey { service, method, .. }: MethodKey) -> String {
    format!("/{service}/{method}")
}

/// `/pkg.Service/Method`.
fn split(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix('/')?.split_once('/')
}
