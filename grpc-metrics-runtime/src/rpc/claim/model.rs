//! A loom model of the claim: handlers that claim an RPC while it ends, in the orders that the model of the cells tries.

use std::sync::Arc;

use loom::thread;
use tonic::Code;

use super::{Claim, Target};
use crate::counters::{Buckets, Clock, LabelValue, MethodCounters, model};
use crate::grpc::{CodeSet, MethodKind};

/// A method that has counted an RPC, so that its memory is allocated.
fn method() -> Target {
    let (no_faults, no_bounds) = (CodeSet::from_iter([]), Buckets::classic(Arc::from([])));
    let counters =
        MethodCounters::new(MethodKind::Unary, false, no_faults, no_bounds, Clock::new(), None);
    counters.start();
    counters.end(Code::Ok, 0, LabelValue::NONE);
    Target::Own(Arc::new(counters))
}

/// An RPC of the path's method.
fn start(path: &Target, is_expected: bool) -> Arc<Claim> {
    if is_expected {
        path.start();
    }
    Arc::new(Claim::new(path.clone(), LabelValue::NONE, is_expected))
}

fn end(claim: &Claim) -> Target {
    let (target, label) = claim.settle();
    target.end(Code::Ok, 0, label);
    target.clone()
}

/// RPCs in flight, and those that have ended here.
fn read(target: &Target) -> (u64, u64) {
    let counts = target.read().counts;
    let finished = counts.finished();
    let in_flight = counts.started.checked_sub(finished);
    (in_flight.expect("in flight is not negative"), finished - 1)
}

/// Each handler claims the RPC on a thread of its own, while it ends.
fn claimed_during_the_end(path: &Target, handlers: [&Target; 2], is_expected: bool) {
    let claim = start(path, is_expected);
    let claiming = handlers.map(|handler| {
        let (claim, handler) = (claim.clone(), handler.clone());
        thread::spawn(move || claim.claim(&handler, || LabelValue::NONE))
    });
    let ended = end(&claim);
    let was_first = claiming.map(|claiming| claiming.join().unwrap());
    let first = handlers.into_iter().zip(was_first).filter(|(_, first)| *first);
    match &first.collect::<Vec<_>>()[..] {
        [] => assert!(claim.claimed().is_none() && ended.is(path)),
        [(first, _)] => assert!(ended.is(first), "it ends where its handler says"),
        _ => panic!("two handlers were first"),
    }
    for target in [path, handlers[0], handlers[1]] {
        assert_eq!(read(target), (0, ended.is(target).into()));
    }
}

#[test]
fn k2_of_two_other_handlers_and_the_end_the_first_one_counts() {
    for is_expected in [true, false] {
        model(move || {
            let [path, one, other] = [(); 3].map(|()| method());
            claimed_during_the_end(&path, [&one, &other], is_expected);
        });
    }
}

#[test]
fn k2_of_the_expected_handler_and_another_one_and_the_end_the_first_one_counts() {
    for is_expected in [true, false] {
        model(move || {
            let [path, other] = [(); 2].map(|()| method());
            claimed_during_the_end(&path, [&path, &other], is_expected);
        });
    }
}

/// Where a handler claims the RPC that ends on another thread meanwhile.
#[test]
fn a5_a_scrape_during_a_claim_sees_no_end_without_its_start() {
    for is_expected in [true, false] {
        model(move || {
            let [path, other] = [(); 2].map(|()| method());
            let claim = start(&path, is_expected);
            let claiming = {
                let (claim, other) = (claim.clone(), other.clone());
                thread::spawn(move || claim.claim(&other, || LabelValue::NONE))
            };
            let ending = thread::spawn(move || end(&claim));
            for target in [&other, &path] {
                read(target);
            }
            let was_first = claiming.join().unwrap();
            assert_eq!(ending.join().unwrap().is(&other), was_first);
            assert_eq!(read(&path), (0, (!was_first).into()));
            assert_eq!(read(&other), (0, was_first.into()));
        });
    }
}
