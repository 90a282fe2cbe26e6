//! What a verified token says about a person.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Identity, Refused, invalid};
use crate::config;
use crate::failure::Failure;
use crate::permission::Role;

/// How this provider writes tenants and roles.
#[derive(Debug)]
pub(super) struct Rules {
    /// The tenant of everybody, or the path of the claim that names it.
    tenant: Tenant,
    roles_claim: Path,
    /// Values of that claim and the role each gives.
    roles: BTreeMap<String, Role>,
}

#[derive(Debug)]
enum Tenant {
    Fixed(String),
    Claim(Path),
}

/// A claim, or a member within one: `realm_access.roles`. A claim whose own name has dots, as names in the form of a URL
/// do, is found by its whole name first.
#[derive(Debug)]
struct Path(String);

impl Path {
    fn find<'a>(&self, claims: &'a Value) -> Option<&'a Value> {
        claims.get(&self.0).or_else(|| self.0.split('.').try_fold(claims, |value, name| value.get(name)))
    }
}

impl Rules {
    pub(super) fn new(config: &config::Oidc) -> Result<Self, Failure> {
        let tenant = match (config.tenant.as_str(), config.tenant_claim.as_str()) {
            ("", "") => return Err(invalid("give oidc.tenant or oidc.tenant_claim")),
            ("", claim) => Tenant::Claim(Path(claim.to_owned())),
            (tenant, "") => Tenant::Fixed(tenant.to_owned()),
            _ => return Err(invalid("give oidc.tenant or oidc.tenant_claim, not both")),
        };
        if config.roles_claim.is_empty() {
            return Err(invalid("oidc.roles_claim must name the claim with the roles"));
        }
        let own_names = || Role::ALL.map(|role| (role.as_str().to_owned(), role)).into();
        let roles = if config.roles.is_empty() { own_names() } else { config.roles.clone() };
        Ok(Self { tenant, roles_claim: Path(config.roles_claim.clone()), roles })
    }

    /// The person. One without a role here has no access, which is not for the token to say.
    pub(super) fn identity(&self, claims: &Value) -> Result<Identity, Refused> {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        let tenant = match &self.tenant {
            Tenant::Fixed(tenant) => tenant.clone(),
            Tenant::Claim(path) => path.find(claims).and_then(text).ok_or(Refused::Claim("the tenant"))?,
        };
        let subject = claims.get("sub").and_then(text).ok_or(Refused::Claim("the subject"))?;
        let named: Vec<&str> = match self.roles_claim.find(claims) {
            Some(Value::String(one)) => one.split(' ').collect(),
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
        };
        let mut roles: Vec<Role> = named.iter().filter_map(|name| self.roles.get(*name).copied()).collect();
        roles.sort();
        roles.dedup();
        Ok(Identity { tenant, subject, roles })
    }
}

/// `exp`, `nbf` and `iat` (RFC 7519 §4.1): seconds since 1970, perhaps with a fraction.
pub(super) fn check_times(claims: &Value, now_ms: u64, leeway_ms: u64) -> Result<(), Refused> {
    let time_ms = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to lie in between"
            )]
            Some(seconds) if (0.0..1e12).contains(&seconds) => Ok(Some((seconds * 1000.0) as u64)),
            _ => Err(Refused::Time("a time is not a number")),
        },
    };
    let expires = time_ms("exp")?.ok_or(Refused::Claim("its end"))?;
    if now_ms >= expires.saturating_add(leeway_ms) {
        return Err(Refused::Time("it has expired"));
    }
    let latest = now_ms.saturating_add(leeway_ms);
    if time_ms("nbf")?.is_some_and(|not_before| not_before > latest) {
        return Err(Refused::Time("it is not valid yet"));
    }
    if time_ms("iat")?.is_some_and(|issued| issued > latest) {
        return Err(Refused::Time("it was issued in the future"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config() -> config::Oidc {
        config::Oidc {
            tenant_claim: "https://bank.example/unit".to_owned(),
            roles_claim: "realm_access.roles".to_owned(),
            roles: [("sign-ops".to_owned(), Role::Operator), ("audit".to_owned(), Role::Auditor)].into(),
            ..config::Oidc::default()
        }
    }

    #[test]
    fn tenant_and_roles_are_found_where_the_provider_writes_them() {
        let rules = Rules::new(&config()).unwrap();
        let claims = json!({
            "sub": "ana", "https://bank.example/unit": "north",
            "realm_access": { "roles": ["audit", "offline_access", "sign-ops", "audit", 5] },
        });
        let identity = rules.identity(&claims).unwrap();
        assert_eq!((identity.tenant.as_str(), identity.subject.as_str()), ("north", "ana"));
        assert_eq!(identity.roles, [Role::Operator, Role::Auditor]);
    }

    #[test]
    fn a_token_without_tenant_or_subject_says_nothing_and_one_without_roles_gives_none() {
        let rules = Rules::new(&config()).unwrap();
        let unit = "https://bank.example/unit";
        assert!(rules.identity(&json!({ "sub": "ana" })).is_err());
        assert!(rules.identity(&json!({ "sub": "ana", unit: "" })).is_err());
        assert!(rules.identity(&json!({ "sub": "ana", unit: ["north"] })).is_err());
        assert!(rules.identity(&json!({ unit: "north" })).is_err());
        // The names of our roles mean nothing when the configuration maps others.
        let claims = json!({ "sub": "ana", unit: "north", "realm_access": { "roles": "admin operator" } });
        assert_eq!(rules.identity(&claims).unwrap().roles, []);
    }

    #[test]
    fn times_are_compared_with_leeway_and_odd_ones_are_refused() {
        let check = |claims: Value| check_times(&claims, 1_000_000, 60_000).is_ok();
        assert!(check(json!({ "exp": 1000 })));
        assert!(check(json!({ "exp": 940.5, "nbf": 1060, "iat": 1060 })));
        for claims in [
            json!({}),
            json!({ "exp": 940 }),
            json!({ "exp": 0 }),
            json!({ "exp": -5 }),
            json!({ "exp": "2000" }),
            json!({ "exp": 1e300 }),
            json!({ "exp": 2000, "nbf": 1061 }),
            json!({ "exp": 2000, "iat": 1061 }),
            json!({ "exp": 2000, "nbf": "now" }),
        ] {
            assert!(!check(claims.clone()), "{claims}");
        }
    }

    #[test]
    fn a_configuration_says_one_way_to_find_the_tenant() {
        let refused = |change: fn(&mut config::Oidc)| {
            let mut config = config();
            change(&mut config);
            Rules::new(&config).is_err()
        };
        assert!(refused(|config| config.tenant_claim.clear()));
        assert!(refused(|config| config.tenant = "north".to_owned()));
        assert!(refused(|config| config.roles_claim.clear()));
        assert!(!refused(|config| {
            config.tenant_claim.clear();
            config.tenant = "north".to_owned();
        }));
    }
}
