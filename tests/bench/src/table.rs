//! One line per figure: ours, the peer's, the ratio and the bar it is held to.

use std::fmt;

/// The figures of one run.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

/// One figure beside one peer.
#[derive(Debug)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// Unit of `ours` and `theirs`; more is better.
    pub(crate) unit: &'static str,
    /// Our figure.
    pub(crate) ours: f64,
    /// The peer or limit.
    pub(crate) peer: &'static str,
    /// Its figure.
    pub(crate) theirs: f64,
    /// The ratio `ours / theirs` that the design asks for.
    pub(crate) bar: f64,
}

impl Table {
    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<46} {:>10}  {:<20} {:>10} {:>8} {:>6}  unit",
            "what", "ours", "peer", "theirs", "ratio", "bar"
        )?;
        for row in &self.rows {
            let ratio = row.ours / row.theirs;
            let verdict = if ratio >= row.bar { "" } else { "  below the bar" };
            writeln!(
                f,
                "{:<46} {:>10.1}  {:<20} {:>10.1} {:>8.2} {:>6.2}  {}{verdict}",
                row.what, row.ours, row.peer, row.theirs, ratio, row.bar, row.unit
            )?;
        }
        Ok(())
    }
}
