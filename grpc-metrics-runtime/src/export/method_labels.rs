//! The values of the labels that tell methods apart.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::schema::{Family, Schema};
use crate::catalog::{MethodKey, Side};
use crate::grpc::MethodKind;
use crate::instance::{MethodSnapshot, Snapshot};

/// The most labels that a method has: system, service, method, kind, and two of the upstream.
const MOST: usize = 6;

/// A method with the values of its labels.
#[derive(Debug)]
pub(super) struct Labelled<'a> {
    pub(super) method: &'a MethodSnapshot,
    values: [Cow<'a, str>; MOST],
    len: usize,
}

impl<'a> Labelled<'a> {
    /// Returns the values in the order of the family's labels. Those at the end may be missing.
    pub(super) fn values(&self) -> &[Cow<'a, str>] {
        &self.values[..self.len]
    }

    fn push(&mut self, value: impl Into<Cow<'a, str>>) {
        self.values[self.len] = value.into();
        self.len += 1;
    }
}

impl Schema {
    /// Returns the methods of the family's side in the order of their series, which is that of a scrape: those with
    /// fewer labels first, then by the values.
    pub(super) fn labelled<'a>(
        &'a self,
        family: &'a Family,
        snapshot: &'a Snapshot,
    ) -> impl Iterator<Item = Labelled<'a>> {
        let all = snapshot.of_side(family.side()).iter();
        let all = all.map(|method| self.label_values(family, method));
        // In the snapshot they are in the order of service, method and upstream.
        let form = &self.naming().form;
        let in_order = !form.full_methods && !form.type_on_all && self.dialect().target.len() == 1;
        let (sorted, all) = if in_order { (Vec::new(), Some(all)) } else { (sorted(all), None) };
        sorted.into_iter().chain(all.into_iter().flatten())
    }

    /// Returns a method with its labels in the family.
    pub(super) fn label_values<'a>(
        &'a self,
        family: &Family,
        method: &'a MethodSnapshot,
    ) -> Labelled<'a> {
        let values = [const { Cow::Borrowed("") }; MOST];
        let mut labelled = Labelled { method, values, len: 0 };
        let dialect = self.dialect();
        if let Some([_, system]) = dialect.system.filter(|_| family.is_dialects()) {
            labelled.push(system);
        }
        let is_other = (method.service(), method.method())
            == (MethodKey::OTHER.service, MethodKey::OTHER.method);
        let full = self.naming().form.full_methods;
        if !self.is_full_method_alone(family.is_dialects()) {
            labelled.push(if full && is_other { dialect.other } else { method.service() });
        }
        match (full, is_other) {
            (true, true) => labelled.push(dialect.other),
            (true, false) => labelled.push(format!("{}/{}", method.service(), method.method())),
            (false, _) => labelled.push(method.method()),
        }
        if self.naming().form.type_on_all {
            // What is not known may be a stream.
            labelled.push(method.known_kind().unwrap_or(MethodKind::BidiStream).as_str());
        }
        if family.side() == Side::Client {
            match (dialect.target.len(), method.target()) {
                // Series with and without a host would differ in their number of labels. Prometheus drops empty ones.
                (2, target) => {
                    let (host, port) = target.map_or(("", ""), host_and_port);
                    labelled.push(host);
                    labelled.push(port);
                }
                (_, Some(target)) => labelled.push(target),
                (_, None) => {}
            }
        }
        labelled
    }
}

fn sorted<'a>(methods: impl Iterator<Item = Labelled<'a>>) -> Vec<Labelled<'a>> {
    let mut sorted: Vec<_> = methods.collect();
    sorted.sort_by(|a, b| a.len.cmp(&b.len).then_with(|| a.values().cmp(b.values())));
    sorted
}

/// Splits `host:port`; without a port, all of it is the host. An IPv6 address with a port is in brackets, which are no
/// part of it.
fn host_and_port(target: &str) -> (&str, &str) {
    if target.parse::<Ipv6Addr>().is_ok() {
        return (target, "");
    }
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let split = target.rsplit_once(':').filter(|(_, port)| is_port(port));
    let (host, port) = split.unwrap_or((target, ""));
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    (address.unwrap_or(host), port)
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::host_and_port;

    #[test]
    fn m1_a_target_is_a_host_with_or_without_a_port() {
        for (target, host, port) in [
            ("billing:50051", "billing", "50051"),
            ("[::1]:80", "::1", "80"),
            ("[::1]", "::1", ""),
            ("::1", "::1", ""),
            ("billing", "billing", ""),
            ("eu:billing", "eu:billing", ""),
            ("billing:", "billing:", ""),
        ] {
            assert_eq!(host_and_port(target), (host, port));
        }
    }
}
