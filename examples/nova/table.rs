//! The table as lines of text, all ASCII, so a column is a byte.

use std::{cmp::Reverse, fmt::Write as _, mem};

use crate::{
    calls::Calls,
    scrape::{Histogram, Method, Scrape},
    traffic::Tally,
    window::{Row, Window},
};

/// Returns the live table, cut to the window. Methods that do not fit are on other pages, and `turn` selects
/// the page.
pub(crate) fn live(
    window: &Window,
    title: &str,
    turn: usize,
    (width, height): (usize, usize),
) -> Vec<String> {
    let rows = window.rows();
    let mut lines = vec![format!("Nova  {}  {title}", sums(&rows)), HEADER.to_owned()];
    let room = height.saturating_sub(lines.len());
    let mut pages = pages(&rows, room, width);
    if pages.len() > 1 {
        // The last line has the page number.
        pages = self::pages(&rows, room.saturating_sub(1), width);
        let (number, count) = (turn % pages.len(), pages.len());
        lines.append(&mut pages[number]);
        lines.push(format!("page {} of {count}; a larger window shows more", number + 1));
    } else {
        lines.extend(pages.into_iter().flatten());
    }
    lines.truncate(height);
    for line in &mut lines {
        line.truncate(width);
    }
    lines
}

/// Groups the rows by service, in pages that each start with a service.
fn pages(rows: &[Row<'_>], room: usize, width: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut page = Vec::new();
    let mut service = "";
    for row in rows {
        let heading = usize::from(row.rpc.0 != service);
        if page.len() + heading + 1 > room && page.len() > 1 {
            pages.push(mem::take(&mut page));
        }
        if heading == 1 || page.is_empty() {
            service = &row.rpc.0;
            page.push(service.to_owned());
        }
        page.push(method_line(row, width));
    }
    pages.push(page);
    pages
}

const HEADER: &str =
    " METHOD                  RATE/S     P50     P95 FLY  ERRORS (by code, by cause)";

/// With the most frequent causes, as many as fit.
fn method_line(row: &Row<'_>, width: usize) -> String {
    let mark = if row.now.kind == "unary" { "" } else { "*" };
    let mut line = format!(
        " {:<23} {:>6.1} {:>7} {:>7} {:>3}  {}",
        format!("{}{mark}", row.rpc.1),
        row.rate,
        quantile(&row.recent, 0.5),
        quantile(&row.recent, 0.95),
        row.now.in_flight,
        codes(row.now.codes.iter().filter(|(code, _)| **code != 0)),
    );
    let mut causes: Vec<_> = causes(row.now).collect();
    causes.sort_by_key(|(_, count)| Reverse(*count));
    for (cause, count) in causes {
        let cause = format!(" {cause}={count}");
        if line.len() + cause.len() > width {
            break;
        }
        line.push_str(&cause);
    }
    line
}

fn sums(rows: &[Row<'_>]) -> String {
    let total: u64 = rows.iter().map(|row| row.now.total()).sum();
    let rate: f64 = rows.iter().map(|row| row.rate).sum();
    let in_flight: i64 = rows.iter().map(|row| row.now.in_flight).sum();
    format!("{total} RPCs  {rate:.0}/s  {in_flight} in flight")
}

/// Returns the changes since the previous scrape in one line, or `None` if there are none.
pub(crate) fn log_line(window: &Window, seconds: u64) -> Option<String> {
    let news = window.news();
    if news.is_empty() {
        return None;
    }
    let rows = window.rows();
    // Clients decide how long a stream lasts.
    let mut latency = Histogram::default();
    rows.iter().filter(|row| row.now.kind == "unary").for_each(|row| latency.add(&row.recent));
    Some(format!(
        "{seconds:>4} s  {}  P50 {} P95 {}  new: {}",
        sums(&rows),
        quantile(&latency, 0.5),
        quantile(&latency, 0.95),
        codes(&news),
    ))
}

/// `service method code=count ... from-load=count from-services=count ... errors: cause=count ...`
pub(crate) fn last(scrape: &Scrape, tally: Option<&Tally>) -> Vec<String> {
    let tally = tally.map(Tally::snapshot).unwrap_or_default();
    let mut lines = Vec::new();
    for ((service, method), now) in &scrape.methods {
        let mut line = format!("{service} {method}");
        for (code, count) in now.codes.iter().filter(|(code, count)| **code == 0 || **count > 0) {
            let _ = write!(line, " {code}={count}");
        }
        let load = tally.get(&(service.as_str(), method.as_str()));
        let (answered, given_up) = load
            .map(|counts| (counts.answered.values().sum(), counts.given_up.total()))
            .unwrap_or_default();
        let calls = scrape.calls.get(&(service.clone(), method.clone()));
        let from_services = calls.map(Calls::total).unwrap_or_default();
        for (name, count) in
            [("from-load", answered), ("given-up", given_up), ("from-services", from_services)]
        {
            if count > 0 {
                let _ = write!(line, " {name}={count}");
            }
        }
        for (name, q) in [("p50", 0.5), ("p95", 0.95)] {
            if now.latency.count > 0 {
                let _ = write!(line, " {name}={}", quantile(&now.latency, q));
            }
        }
        for (n, (cause, count)) in causes(now).enumerate() {
            let heading = if n == 0 { " errors:" } else { "" };
            let _ = write!(line, "{heading} {cause}={count}");
        }
        lines.push(line);
    }
    lines
}

/// The line below the last table.
pub(crate) fn verdict(tally: &Tally, scrape: &Scrape, differences: usize) -> String {
    let tally = tally.snapshot();
    let answered: u64 = tally.values().flat_map(|counts| counts.answered.values()).sum();
    let given_up: u64 = tally.values().map(|counts| counts.given_up.total()).sum();
    let between: u64 = scrape.calls.values().map(Calls::total).sum();
    let methods = tally.len();
    let verdict = match differences {
        0 => "all agree".to_owned(),
        differences => format!("{differences} differences"),
    };
    format!(
        "checked {methods} methods, {answered} calls, {given_up} given up, {between} between services: {verdict}"
    )
}

/// By code, as the codes themselves.
fn causes(method: &Method) -> impl Iterator<Item = (&str, u64)> {
    method.causes.iter().map(|((_, cause), count)| (cause.as_str(), *count))
}

fn codes<'a>(codes: impl IntoIterator<Item = (&'a u8, &'a u64)>) -> String {
    let mut text = String::new();
    for (code, count) in codes {
        if *count > 0 {
            let space = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{space}{code}={count}");
        }
    }
    text
}

fn quantile(latency: &Histogram, q: f64) -> String {
    match latency.quantile(q) {
        None => "-".to_owned(),
        Some(seconds) if seconds < 1.0 => format!("{:.1}ms", seconds * 1_000.0),
        Some(seconds) => format!("{seconds:.2}s"),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Instant};

    use super::*;

    fn window(methods: usize) -> Window {
        let methods = (0..methods).map(|n| {
            let rpc = (format!("nova.s{}.v1.Service", n / 7), format!("GetSomethingLongByIds{n}"));
            let codes = (0..17).map(|code| (code, 1_234_567)).collect();
            let causes = (3..9).map(|code| ((code, format!("cause_of_{code}")), 1_234_567));
            let causes = causes.collect();
            (rpc, Method { kind: "unary".to_owned(), codes, causes, ..Method::default() })
        });
        let mut window = Window::new();
        let methods = methods.collect();
        window.push(Instant::now(), Scrape { methods, ..Scrape::default() });
        window
    }

    #[test]
    fn the_live_table_fits_any_window() {
        for methods in [0, 1, 42] {
            for size in [(0, 0), (1, 1), (10, 2), (40, 3), (80, 24), (200, 100)] {
                for turn in 0..5 {
                    let lines = live(&window(methods), "title", turn, size);
                    assert!(lines.len() <= size.1, "{methods} {size:?} {turn}");
                    assert!(lines.iter().all(|line| line.len() <= size.0));
                }
            }
        }
    }

    #[test]
    fn the_pages_hold_every_method() {
        let window = window(42);
        for page in 0..3 {
            assert!(live(&window, "title", page, (80, 24))[2].starts_with("nova."));
        }
        let pages = (0..10).flat_map(|turn| live(&window, "title", turn, (80, 24)));
        let mut seen: Vec<_> = pages.filter(|line| line.contains("Get")).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 42);
        assert_eq!(live(&window, "title", 0, (80, 60)).len(), 2 + 42 + 6);
    }

    fn scrape() -> Scrape {
        let causes = [((3, "invalid_id"), 1), ((5, "no_such_post"), 20)];
        let causes = causes.map(|((code, cause), count)| ((code, cause.to_owned()), count));
        let method = Method {
            kind: "unary".to_owned(),
            codes: BTreeMap::from([(0, 12), (3, 1), (5, 20), (13, 0)]),
            causes: causes.into(),
            ..Method::default()
        };
        let rpc = ("nova.content.v1.ContentService".to_owned(), "GetPost".to_owned());
        Scrape { methods: BTreeMap::from([(rpc, method)]), ..Scrape::default() }
    }

    #[test]
    fn the_last_table_tells_the_causes() {
        assert_eq!(
            last(&scrape(), None),
            [
                "nova.content.v1.ContentService GetPost 0=12 3=1 5=20 errors: invalid_id=1 no_such_post=20"
            ]
        );
    }

    #[test]
    fn the_live_table_tells_whole_causes_the_most_frequent_first() {
        let mut window = Window::new();
        window.push(Instant::now(), scrape());
        let line = |width| live(&window, "title", 0, (width, 24)).pop().unwrap();
        let all = line(200);
        assert!(all.ends_with(" 3=1 5=20 no_such_post=20 invalid_id=1"), "{all}");
        assert!(line(all.len() - 1).ends_with(" no_such_post=20"));
        assert!(line(80).ends_with(" 3=1 5=20 no_such_post=20"));
        assert!(line(70).ends_with(" 3=1 5=20"));
    }
}
