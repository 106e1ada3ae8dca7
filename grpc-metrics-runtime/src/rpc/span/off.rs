//! The stub of a span.

#![allow(clippy::unused_self)] // same signatures as in `on.rs`

use http::HeaderMap;

use crate::catalog::Method;
use crate::counters::MethodCounters;

use super::Ended;

#[derive(Debug, Default)]
pub(crate) struct RpcSpan;

impl RpcSpan {
    pub(crate) const NONE: Self = Self;

    #[inline]
    pub(crate) fn new(_: &'static Method, _: &HeaderMap) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn of_client(_: impl FnOnce() -> &'static str) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn inject(&self, _: &mut HeaderMap) {}

    pub(crate) fn is_some(&self) -> bool {
        false
    }

    #[inline]
    pub(crate) fn open(&mut self) {}

    #[inline]
    pub(crate) fn enter(&mut self) {}

    #[inline]
    pub(crate) fn exit(&mut self) {}

    #[inline]
    pub(crate) fn close(&mut self, _: &MethodCounters, _: &Ended) {}
}
