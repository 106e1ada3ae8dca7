//! Calls of a method by the handlers that made them.

use std::sync::{Arc, OnceLock};

use tonic::Code;

use super::cells::{Buckets, MethodCells};
use crate::grpc::ALL_CODES;

/// The calls of a method, per handler that made them. A list that only grows, up to the number of the program's
/// handlers.
#[derive(Debug, Default)]
pub(super) struct Edges(OnceLock<Box<Edge>>);

#[derive(Debug)]
struct Edge {
    caller: [&'static str; 2],
    /// With one bucket: only the codes count.
    cells: MethodCells,
    next: Edges,
}

/// The number of calls that one handler made to a method and that ended with one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EdgeCount {
    /// The service of the handler.
    pub caller_service: &'static str,
    /// The method of the handler.
    pub caller_method: &'static str,
    /// The status code of the calls.
    pub code: Code,
    /// The number of calls.
    pub count: u64,
}

impl Edges {
    pub(super) fn count(&self, caller: [&'static str; 2], code: Code) {
        let mut list = self;
        loop {
            let edge = list.0.get_or_init(|| {
                let cells = MethodCells::new(Buckets::classic(Arc::from([])));
                Box::new(Edge { caller, cells, next: Self::default() })
            });
            if edge.caller == caller {
                edge.cells.finish(code as usize, 0);
                return;
            }
            list = &edge.next;
        }
    }

    /// Returns all counts, sorted by caller and code.
    pub(super) fn read(&self) -> Vec<EdgeCount> {
        let mut edges = Vec::new();
        let mut list = self;
        while let Some(edge) = list.0.get() {
            let [caller_service, caller_method] = edge.caller;
            let counts = edge.cells.read();
            let of_codes = ALL_CODES.into_iter().map(|code| EdgeCount {
                caller_service,
                caller_method,
                code,
                count: counts.with_code(code as usize),
            });
            edges.extend(of_codes.filter(|edge| edge.count > 0));
            list = &edge.next;
        }
        edges.sort_by_key(|edge| (edge.caller_service, edge.caller_method, edge.code as i32));
        edges
    }
}
