//! Certificate policies along a path (RFC 5280 §6.1, with the graph of RFC 9618 in place of the tree, which
//! mappings can make exponentially large).

use super::PathOptions;
use crate::oid;
use crate::x509::extensions::PolicyConstraints;
use crate::x509::{Certificate, same_name};

/// Policies and mappings read from one certificate.
const MAX_POLICIES: usize = 100;

/// Contents octets of a policy identifier.
type Policy<'a> = &'a [u8];

struct Node<'a> {
    policy: Policy<'a>,
    expected: Vec<Policy<'a>>,
    /// Positions in the level above.
    parents: Vec<usize>,
}

/// Levels from the anchor down. A level without nodes means that no policy is left.
struct Graph<'a>(Vec<Vec<Node<'a>>>);

struct State<'a> {
    graph: Graph<'a>,
    /// Certificates until the rule applies.
    explicit_policy: u32,
    inhibit_any: u32,
    policy_mapping: u32,
}

/// Checks a complete path, leaf first. The error says which rule is broken and where.
pub(super) fn check<'a>(
    path: &'a [Certificate],
    options: &PathOptions,
) -> Result<(), (&'a Certificate, &'static str)> {
    let below_anchor = &path[..path.len() - 1];
    let Some(leaf) = below_anchor.first() else { return Ok(()) };
    let count = u32::try_from(below_anchor.len()).expect("a path is short");
    let initial = |applies: bool| if applies { 0 } else { count + 1 };
    let mut state = State {
        graph: Graph(vec![vec![Node { policy: any(), expected: vec![any()], parents: vec![] }]]),
        explicit_policy: initial(options.require_explicit_policy),
        inhibit_any: initial(options.inhibit_any_policy),
        policy_mapping: initial(options.inhibit_policy_mapping),
    };
    for (index, certificate) in below_anchor.iter().enumerate().rev() {
        state.take(certificate, index == 0).map_err(|reason| (certificate, reason))?;
        if index > 0 {
            state.prepare(certificate).map_err(|reason| (certificate, reason))?;
        }
    }
    // RFC 5280 §6.1.5 (a) and (b).
    state.explicit_policy = state.explicit_policy.saturating_sub(1);
    if leaf.extensions().policy_constraints.require_explicit == Some(0) {
        state.explicit_policy = 0;
    }
    if state.explicit_policy == 0 && !state.graph.allows(options) {
        return Err((leaf, "no certificate policy is valid for the whole path"));
    }
    Ok(())
}

impl<'a> State<'a> {
    /// RFC 5280 §6.1.3 (d) to (f).
    fn take(&mut self, certificate: &'a Certificate, is_leaf: bool) -> Result<(), &'static str> {
        let policies = policies_of(certificate)?;
        let with_any =
            policies.contains(&any()) && (self.inhibit_any > 0 || (!is_leaf && is_self_issued(certificate)));
        self.graph.descend(&policies, with_any);
        if self.explicit_policy == 0 && self.graph.is_empty() {
            return Err("a certificate policy is required and none is left");
        }
        Ok(())
    }

    /// RFC 5280 §6.1.4 (a), (b), (h), (i) and (j).
    fn prepare(&mut self, certificate: &'a Certificate) -> Result<(), &'static str> {
        let mappings = mappings_of(certificate)?;
        if mappings.iter().any(|(from, to)| *from == any() || *to == any()) {
            return Err("a policy mapping with anyPolicy");
        }
        self.graph.map(&mappings, self.policy_mapping > 0);
        if !is_self_issued(certificate) {
            for counter in [&mut self.explicit_policy, &mut self.policy_mapping, &mut self.inhibit_any] {
                *counter = counter.saturating_sub(1);
            }
        }
        let PolicyConstraints { require_explicit, inhibit_mapping } =
            certificate.extensions().policy_constraints;
        let lower = |counter: &mut u32, limit: Option<u32>| {
            *counter = limit.map_or(*counter, |limit| limit.min(*counter));
        };
        lower(&mut self.explicit_policy, require_explicit);
        lower(&mut self.policy_mapping, inhibit_mapping);
        lower(&mut self.inhibit_any, certificate.extensions().inhibit_any_policy);
        Ok(())
    }
}

impl<'a> Graph<'a> {
    fn level(&self) -> &[Node<'a>] {
        self.0.last().expect("a graph has the level of the anchor")
    }

    fn is_empty(&self) -> bool {
        self.level().is_empty()
    }

    /// Adds the level of a certificate with these policies.
    fn descend(&mut self, policies: &[Policy<'a>], with_any: bool) {
        let above = self.level();
        let expecting = |policy: Policy<'_>| {
            let positions = above.iter().enumerate().filter(|(_, node)| node.expected.contains(&policy));
            positions.map(|(position, _)| position).collect::<Vec<_>>()
        };
        let any_above = above.iter().position(|node| node.policy == any());
        let mut level: Vec<Node<'a>> = Vec::new();
        let mut add = |policy: Policy<'a>, parents: Vec<usize>| {
            if !parents.is_empty() && level.iter().all(|node| node.policy != policy) {
                level.push(Node { policy, expected: vec![policy], parents });
            }
        };
        for &policy in policies.iter().filter(|policy| **policy != any()) {
            let parents = expecting(policy);
            let parents = if parents.is_empty() { any_above.into_iter().collect() } else { parents };
            add(policy, parents);
        }
        if with_any {
            for &policy in above.iter().flat_map(|node| &node.expected) {
                add(policy, expecting(policy));
            }
        }
        self.0.push(level);
        self.prune();
    }

    fn map(&mut self, mappings: &[(Policy<'a>, Policy<'a>)], is_allowed: bool) {
        let level = self.0.last_mut().expect("a graph has the level of the anchor");
        if !is_allowed {
            level.retain(|node| mappings.iter().all(|(from, _)| *from != node.policy));
            return self.prune();
        }
        let any_parents = level.iter().find(|node| node.policy == any()).map(|node| node.parents.clone());
        let mut seen: Vec<Policy<'a>> = Vec::new();
        for &(from, _) in mappings {
            if seen.contains(&from) {
                continue;
            }
            seen.push(from);
            let expected = mappings.iter().filter(|(other, _)| *other == from).map(|(_, to)| *to).collect();
            if let Some(node) = level.iter_mut().find(|node| node.policy == from) {
                node.expected = expected;
            } else if let Some(parents) = &any_parents {
                level.push(Node { policy: from, expected, parents: parents.clone() });
            }
        }
    }

    /// Removes nodes from which no path leads down to the last level.
    fn prune(&mut self) {
        for depth in (0..self.0.len() - 1).rev() {
            let (upper, lower) = self.0.split_at_mut(depth + 1);
            let (above, below) = (&mut upper[depth], &mut lower[0]);
            let used = |position: usize| below.iter().any(|node| node.parents.contains(&position));
            let kept = (0..above.len()).filter(|position| used(*position)).collect::<Vec<_>>();
            let mut position = 0;
            above.retain(|_| {
                position += 1;
                kept.contains(&(position - 1))
            });
            for node in below.iter_mut() {
                for parent in &mut node.parents {
                    *parent = kept.iter().position(|old| old == parent).expect("a parent has a child");
                }
            }
        }
    }

    /// Whether a policy is left that the caller accepts (RFC 5280 §6.1.5 g).
    fn allows(&self, options: &PathOptions) -> bool {
        if self.is_empty() {
            return false;
        }
        let Some(accepted) = &options.initial_policies else { return true };
        let any_at_the_end = self.level().iter().any(|node| node.policy == any());
        any_at_the_end
            || self.0.windows(2).any(|pair| {
                let below_any =
                    |node: &&Node<'_>| node.parents.iter().any(|parent| pair[0][*parent].policy == any());
                pair[1]
                    .iter()
                    .filter(below_any)
                    .any(|node| accepted.iter().any(|oid| oid.as_bytes() == node.policy))
            })
    }
}

fn any() -> Policy<'static> {
    const ANY: const_oid::ObjectIdentifier = oid::ANY_POLICY;
    ANY.as_bytes()
}

fn policies_of(certificate: &Certificate) -> Result<Vec<Policy<'_>>, &'static str> {
    let policies = certificate.extensions().policies.iter().map(|range| certificate.part(range));
    let policies = policies.collect::<Vec<_>>();
    if policies.len() > MAX_POLICIES { Err("more than 100 certificate policies") } else { Ok(policies) }
}

fn mappings_of(certificate: &Certificate) -> Result<Vec<(Policy<'_>, Policy<'_>)>, &'static str> {
    let mappings = certificate.extensions().policy_mappings.iter();
    let mappings =
        mappings.map(|(from, to)| (certificate.part(from), certificate.part(to))).collect::<Vec<_>>();
    if mappings.len() > MAX_POLICIES { Err("more than 100 policy mappings") } else { Ok(mappings) }
}

fn is_self_issued(certificate: &Certificate) -> bool {
    same_name(certificate.subject(), certificate.issuer())
}
