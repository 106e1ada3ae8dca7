//! The rules, one by one.

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// Or else it alerts.
    pub(crate) is_recorded: bool,
    pub(crate) expr: String,
    /// What stands below the expression.
    pub(crate) rest: String,
}

pub(crate) fn rules(text: &str) -> Vec<Rule> {
    let code: Vec<_> = text.lines().filter(|line| !line.trim().starts_with('#')).collect();
    let code = code.join("\n");
    let rules = code.split("\n      - ").skip(1).map(|rule| {
        let (head, rest) = rule.split_once("\n        expr: |\n").expect(rule);
        let (kind, name) = head.split_once(": ").expect(head);
        let of_expr = |line: &&str| line.starts_with("          ");
        let expr: Vec<_> = rest.lines().take_while(of_expr).collect();
        let rest: Vec<_> = rest.lines().skip_while(of_expr).collect();
        Rule {
            name: name.to_owned(),
            is_recorded: kind == "record",
            expr: expr.join("\n"),
            rest: rest.join("\n"),
        }
    });
    rules.collect()
}
