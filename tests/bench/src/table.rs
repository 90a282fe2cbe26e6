//! One line per figure: ours, the peer's, the ratio and the bar it is held to.

use std::fmt;

/// The figures of one run.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    skipped: Vec<String>,
}

/// One figure beside one peer.
#[derive(Debug)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// Unit of `ours` and `theirs`.
    pub(crate) unit: &'static str,
    /// Our figure.
    pub(crate) ours: f64,
    /// The peer or limit.
    pub(crate) peer: &'static str,
    /// Its figure.
    pub(crate) theirs: f64,
    /// What the design asks of the ratio `ours / theirs`.
    pub(crate) bar: Bar,
}

/// A limit on a ratio.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// More is better, and it must not be less than this.
    AtLeast(f64),
    /// Less is better, and it must not be more than this.
    AtMost(f64),
    /// Told for orientation.
    None,
}

impl Bar {
    fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(bar) => ratio >= bar,
            Self::AtMost(bar) => ratio <= bar,
            Self::None => true,
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bar) => write!(f, ">= {bar:.2}"),
            Self::AtMost(bar) => write!(f, "<= {bar:.2}"),
            Self::None => Ok(()),
        }
    }
}

impl Table {
    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// A figure that cannot be measured here, and why.
    pub(crate) fn skip(&mut self, why: String) {
        self.skipped.push(why);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<50} {:>10}  {:<24} {:>10} {:>8} {:>8}  unit",
            "what", "ours", "peer", "theirs", "ratio", "bar"
        )?;
        for row in &self.rows {
            let ratio = row.ours / row.theirs;
            let verdict = if row.bar.holds(ratio) { "" } else { "  MISSES THE BAR" };
            writeln!(
                f,
                "{:<50} {:>10.1}  {:<24} {:>10.1} {:>8.2} {:>8}  {}{verdict}",
                row.what,
                row.ours,
                row.peer,
                row.theirs,
                ratio,
                row.bar.to_string(),
                row.unit
            )?;
        }
        self.skipped.iter().try_for_each(|why| writeln!(f, "skipped: {why}"))
    }
}
