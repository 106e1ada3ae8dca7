//! Compares the metrics with what the clients saw.

use std::collections::BTreeMap;

use tonic::Code;

use crate::{
    calls::{Calls, is_one_of},
    scrape::{Method, Scrape},
    traffic::{GivenUp, Tally},
};

/// Possible codes of a call that its client did not wait for. The call may have completed before the cancellation
/// arrived, with success or with a fault of the store; and services give up when a deadline has passed.
const OF_GIVEN_UP: [Code; 5] =
    [Code::Ok, Code::Cancelled, Code::DeadlineExceeded, Code::Internal, Code::Unavailable];

/// Codes of RPCs that did not end with one of Nova's own errors, which all have a cause: success,
/// cancellation, panics and deadlines.
const WITHOUT_CAUSE: [Code; 4] = [Code::Ok, Code::Cancelled, Code::Unknown, Code::DeadlineExceeded];

/// Returns one line per difference, with both numbers. The clients of a method are those of the traffic and those of the
/// services that call it, each of whose calls is made by a handler.
pub(crate) fn differences(tally: &Tally, scrape: &Scrape) -> Vec<String> {
    let mut found = Vec::new();
    let tally = tally.snapshot();
    for (service, method) in tally.keys() {
        let rpc = ((*service).to_owned(), (*method).to_owned());
        if !scrape.methods.contains_key(&rpc) {
            found.push(format!("{service}/{method}: called, but not in the metrics"));
        }
    }
    for ((service, name), method) in &scrape.methods {
        let calls = scrape.calls.get(&(service.clone(), name.clone())).cloned().unwrap_or_default();
        let mut counts = calls.expected();
        if let Some(of_traffic) = tally.get(&(service.as_str(), name.as_str())) {
            counts.add(of_traffic);
        }
        let mut wrong: Vec<_> = without_caller(&calls).into_iter().collect();
        if method.total() == 0 {
            wrong.push("never called".to_owned());
        } else {
            wrong.extend(compare(method, &counts.answered, counts.given_up));
        }
        found.extend(wrong.into_iter().map(|what| format!("{service}/{name}: {what}")));
    }
    found
}

fn without_caller(calls: &Calls) -> Option<String> {
    let by_callers = calls.by_callers();
    let differ = by_callers != calls.codes;
    differ.then(|| format!("calls by code {:?}, but {by_callers:?} by callers", calls.codes))
}

fn compare(method: &Method, answered: &BTreeMap<u8, u64>, given_up: GivenUp) -> Vec<String> {
    let mut found = Vec::new();
    if method.in_flight != 0 {
        found.push(format!("{} in flight, but no call is running", method.in_flight));
    }
    if method.latency.count != method.total() {
        let (durations, total) = (method.latency.count, method.total());
        found.push(format!("{durations} durations, but {total} RPCs"));
    }
    let mut unanswered = 0;
    for code in 0..=u8::MAX {
        let metrics = method.codes.get(&code).copied().unwrap_or(0);
        let clients = answered.get(&code).copied().unwrap_or(0);
        let may_be_more = given_up.total() > 0 && is_one_of(&OF_GIVEN_UP, code);
        if metrics < clients || (metrics > clients && !may_be_more) {
            found.push(format!("code {code}: {clients} in the clients, {metrics} in the metrics"));
        }
        unanswered += metrics.saturating_sub(clients);
        let causes: u64 =
            method.causes.iter().filter(|((of, _), _)| *of == code).map(|(_, count)| count).sum();
        if causes > metrics || (causes < metrics && !is_one_of(&WITHOUT_CAUSE, code)) {
            found.push(format!("code {code}: {causes} causes, but {metrics} RPCs"));
        }
    }
    if unanswered < given_up.reached || (unanswered > given_up.total() && found.is_empty()) {
        found.push(format!(
            "given up: {} to {} in the clients, {unanswered} in the metrics",
            given_up.reached,
            given_up.total()
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scrape::Histogram;

    /// With a cause for each code that needs one.
    fn method(codes: &[(u8, u64)]) -> Method {
        let codes: BTreeMap<_, _> = codes.iter().copied().collect();
        let failed = codes.iter().filter(|(code, _)| !is_one_of(&WITHOUT_CAUSE, **code));
        let causes = failed.map(|(code, count)| ((*code, "cause".to_owned()), *count)).collect();
        let latency = Histogram { count: codes.values().sum(), ..Histogram::default() };
        Method { codes, causes, latency, ..Method::default() }
    }

    fn off(metrics: &[(u8, u64)], clients: &[(u8, u64)], reached: u64, unheard: u64) -> bool {
        let clients = clients.iter().copied().collect();
        !compare(&method(metrics), &clients, GivenUp { reached, unheard }).is_empty()
    }

    #[test]
    fn answered_calls_agree_exactly() {
        assert!(!off(&[(0, 3), (13, 1)], &[(0, 3), (13, 1)], 0, 0));
        assert!(off(&[(0, 4)], &[(0, 3)], 0, 0));
        assert!(off(&[(0, 2)], &[(0, 3)], 0, 0));
        assert!(off(&[(0, 2), (1, 1)], &[(0, 3)], 0, 1));
        assert!(off(&[(0, 3), (5, 1)], &[(0, 3)], 0, 1));
    }

    #[test]
    fn every_call_of_a_service_has_a_caller() {
        let caller = ("a.B".to_owned(), "Get".to_owned());
        let edges = BTreeMap::from([((caller, 0), 2)]);
        let calls = |count| Calls { codes: BTreeMap::from([(0, count)]), edges: edges.clone() };
        assert_eq!(without_caller(&calls(2)), None);
        assert!(without_caller(&calls(3)).is_some() && without_caller(&calls(1)).is_some());
    }

    #[test]
    fn given_up_calls_lie_within_what_is_possible() {
        assert!(!off(&[(0, 3), (1, 2)], &[(0, 3)], 2, 0));
        assert!(!off(&[(0, 3), (1, 2)], &[(0, 3)], 0, 2));
        assert!(!off(&[(0, 3)], &[(0, 3)], 0, 2));
        assert!(!off(&[(0, 4), (1, 1)], &[(0, 3)], 0, 2));
        assert!(off(&[(0, 3), (1, 1)], &[(0, 3)], 2, 0));
        assert!(off(&[(0, 3), (1, 3)], &[(0, 3)], 1, 1));
    }

    #[test]
    fn every_failure_has_one_cause_and_nothing_else_needs_one() {
        let off = |causes: &[(u8, u64)]| {
            let named = |(n, &(code, count)): (usize, &(u8, u64))| ((code, n.to_string()), count);
            let causes = causes.iter().enumerate().map(named).collect();
            let counted = Method { causes, ..method(&[(0, 3), (1, 1), (4, 1), (13, 2)]) };
            let answered = BTreeMap::from([(0, 3), (1, 1), (4, 1), (13, 2)]);
            !compare(&counted, &answered, GivenUp::default()).is_empty()
        };
        assert!(!off(&[(13, 2)]));
        assert!(!off(&[(13, 1), (13, 1), (4, 1)]));
        assert!(off(&[]));
        assert!(off(&[(13, 1)]));
        assert!(off(&[(13, 2), (13, 1)]));
        assert!(off(&[(13, 2), (4, 1), (4, 1)]));
        assert!(off(&[(13, 2), (5, 1)]));
    }

    #[test]
    fn what_is_left_in_flight_is_off() {
        let stuck = Method { in_flight: 1, ..method(&[(0, 1)]) };
        let answered = BTreeMap::from([(0, 1)]);
        assert_eq!(compare(&stuck, &answered, GivenUp::default()).len(), 1);
        let uncounted = Method { latency: Histogram::default(), ..method(&[(0, 1)]) };
        assert_eq!(compare(&uncounted, &answered, GivenUp::default()).len(), 1);
    }
}
