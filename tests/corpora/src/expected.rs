//! Differences that are known and explained: `expected/*.txt`.
//!
//! One per line: `<case> | <what we say> | <reason>`; `#` begins a comment.

use std::collections::BTreeMap;

/// Explained differences of one corpus, by case.
#[derive(Debug)]
pub(crate) struct Expected(BTreeMap<&'static str, &'static str>);

impl Expected {
    /// Reads a file of this crate.
    ///
    /// # Panics
    /// On a line without its three parts, or a case that is there twice: the file is part of the source.
    pub(crate) fn parse(text: &'static str) -> Self {
        let mut lines = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut parts = line.split(" | ");
            let (Some(case), Some(ours), Some(_reason)) = (parts.next(), parts.next(), parts.next()) else {
                panic!("not `<case> | <what we say> | <reason>`: {line}");
            };
            assert!(lines.insert(case, ours).is_none(), "twice: {case}");
        }
        Self(lines)
    }

    /// Compares our verdict with theirs, or with what is explained.
    pub(crate) fn check(&self, case: &str, ours: &str, theirs: &str) -> Result<(), String> {
        match self.0.get(case) {
            None if ours == theirs => Ok(()),
            None => Err(format!("we say `{ours}`, they say `{theirs}`")),
            Some(_) if ours == theirs => Err(format!("both say `{ours}`: the explained difference is gone")),
            Some(explained) if *explained == ours => Ok(()),
            Some(explained) => {
                Err(format!("we say `{ours}`, `{explained}` is explained, they say `{theirs}`"))
            }
        }
    }

    /// Cases that are explained but do not exist.
    pub(crate) fn stale<'a>(
        &'a self,
        exists: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = &'static str> + 'a {
        self.0.keys().copied().filter(move |case| !exists(case))
    }
}
