//! States of a signature and the edges between them.

use serde::{Deserialize, Serialize};

use super::{Custody, SignatureLevel};

/// State of a signature. It moves only along the edges of [`SignatureState::may_become`]:
///
/// ```text
/// hsm, lacuna       accepted → prepared → signing → released
/// local, level b               prepared ──────────→ released
/// local above b                prepared → signing → released
/// ```
///
/// Whatever is not final may end in `failed`; until the intent is committed also in `cancelled`; `prepared` at `local`
/// also in `expired`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    /// Taken, nothing built yet.
    Accepted,
    /// The data to be signed are built and pinned; for `local` it is the person's turn.
    Prepared,
    /// The intent is committed: the key may have been used. Above level `b` the signature stays here while time stamps and
    /// revocation data are collected; an authority that does not answer is asked again, without another use of the key.
    Signing,
    /// The artefact was verified and can be fetched.
    Released,
    /// Ended without artefact.
    Failed,
    /// Nobody completed it in time.
    Expired,
    /// Taken back before the key was used, with its batch or its order.
    Cancelled,
}

impl SignatureState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Accepted,
        Self::Prepared,
        Self::Signing,
        Self::Released,
        Self::Failed,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Prepared => "prepared",
            Self::Signing => "signing",
            Self::Released => "released",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing can happen to the signature any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Released | Self::Failed | Self::Expired | Self::Cancelled)
    }

    /// The state in which a signature begins: what `local` signs is built from the certificate in the request.
    #[must_use]
    pub const fn first(custody: Custody) -> Self {
        match custody {
            Custody::Hsm | Custody::Lacuna => Self::Accepted,
            Custody::Local => Self::Prepared,
        }
    }

    /// Whether the edge exists for a signature of this custody and level. Staying is not an edge.
    #[must_use]
    pub fn may_become(self, next: Self, custody: Custody, level: SignatureLevel) -> bool {
        use SignatureState::{Accepted, Cancelled, Expired, Failed, Prepared, Released, Signing};
        let by_device_at_b = custody == Custody::Local && level == SignatureLevel::B;
        match (self, next) {
            (Accepted, Prepared | Failed | Cancelled) => custody != Custody::Local,
            (Prepared, Signing) | (Signing, Released | Failed) => !by_device_at_b,
            (Prepared, Released) => by_device_at_b,
            (Prepared, Expired) => custody == Custody::Local,
            (Prepared, Failed | Cancelled) => true,
            (Accepted | Prepared | Signing | Released | Failed | Expired | Cancelled, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [SignatureLevel; 4] =
        [SignatureLevel::B, SignatureLevel::T, SignatureLevel::Lt, SignatureLevel::Lta];

    /// Every state that can be reached from the first, with the edges used.
    fn edges(custody: Custody, level: SignatureLevel) -> Vec<String> {
        let mut edges = Vec::new();
        let mut reached = vec![SignatureState::first(custody)];
        let mut next = 0;
        while let Some(&from) = reached.get(next) {
            next += 1;
            for to in SignatureState::ALL.into_iter().filter(|&to| from.may_become(to, custody, level)) {
                edges.push(format!("{} {}", from.as_str(), to.as_str()));
                if !reached.contains(&to) {
                    reached.push(to);
                }
            }
        }
        edges
    }

    #[test]
    fn the_edges_are_these() {
        for (level, custody) in
            LEVELS.into_iter().flat_map(|level| [(level, Custody::Hsm), (level, Custody::Lacuna)])
        {
            assert_eq!(
                edges(custody, level),
                [
                    "accepted prepared",
                    "accepted failed",
                    "accepted cancelled",
                    "prepared signing",
                    "prepared failed",
                    "prepared cancelled",
                    "signing released",
                    "signing failed",
                ]
            );
        }
        assert_eq!(
            edges(Custody::Local, SignatureLevel::B),
            ["prepared released", "prepared failed", "prepared expired", "prepared cancelled"]
        );
        for level in &LEVELS[1..] {
            assert_eq!(
                edges(Custody::Local, *level),
                [
                    "prepared signing",
                    "prepared failed",
                    "prepared expired",
                    "prepared cancelled",
                    "signing released",
                    "signing failed",
                ]
            );
        }
    }

    #[test]
    fn exactly_the_final_states_have_no_way_out() {
        for from in SignatureState::ALL {
            let leads_on = LEVELS.iter().any(|&level| {
                [Custody::Local, Custody::Hsm, Custody::Lacuna]
                    .iter()
                    .any(|&custody| SignatureState::ALL.iter().any(|&to| from.may_become(to, custody, level)))
            });
            assert_eq!(leads_on, !from.is_final(), "{}", from.as_str());
        }
    }
}
