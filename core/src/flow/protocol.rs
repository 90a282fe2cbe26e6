//! Facts of the Web PKI protocol that are rules, not transport: names, versions, error codes.

use crate::ErrorCode;

use super::client::Part;

/// Ids of the elements that tell of an extension: Chrome, Firefox (two forms), Edge, old Edge.
pub const MARKER_IDS: [&str; 5] = [
    "dcngeagmmhegagicpcmpinaoklddcgon",
    "webpki_beta_lacunasoftware_com",
    "webpki_lacunasoftware_com",
    "nedeegdmhlnmboboahchfpkmdnnemapd",
    "d2798a85-9698-425a-add7-3db79a39ca8a",
];

/// Event type, or `port` of a window message, from page to extension.
pub const REQUEST_EVENT: &str = "com.lacunasoftware.WebPKI.RequestEvent";

/// Event type, or `port` of a window message, from extension to page.
pub const RESPONSE_EVENT: &str = "com.lacunasoftware.WebPKI.ResponseEvent";

/// The oldest versions that can do what the flow asks (the vendor's API 1.5: list, read, sign a hash, batches).
/// Asking for more would push people into needless updates.
pub const MINIMUM: Minimum = Minimum { extension: "2.13.0", windows: "2.8.0", linux: "2.9.0", mac: "2.9.0" };

/// Oldest usable version of each part.
#[derive(Debug, Clone, Copy)]
pub struct Minimum {
    /// The extension.
    pub extension: &'static str,
    /// Native part on Windows.
    pub windows: &'static str,
    /// Native part on Linux.
    pub linux: &'static str,
    /// Native part on macOS.
    pub mac: &'static str,
}

impl Minimum {
    /// The version that a part must have; `None` for an operating system without a rule.
    #[must_use]
    pub fn of(&self, part: Part, os: &str) -> Option<&'static str> {
        match (part, os) {
            (Part::Extension, _) => Some(self.extension),
            (Part::Native, "Windows") => Some(self.windows),
            (Part::Native, "Linux") => Some(self.linux),
            (Part::Native, "Darwin") => Some(self.mac),
            (Part::Native, _) => None,
        }
    }
}

/// Whether `installed` is older than `required`, compared number by number.
///
/// A shorter version with the same numbers counts as older; a part that does not start with a digit ends the
/// comparison in favour of the installed one, because a version that we cannot read is no proof of age.
#[must_use]
pub fn is_older(installed: &str, required: &str) -> bool {
    let mut have = installed.split('.');
    for need in required.split('.').map(leading_number) {
        match (have.next().map(leading_number), need) {
            (None, _) => return true,
            (Some(Some(have)), Some(need)) if have != need => return have < need,
            (Some(Some(_)), Some(_)) => {}
            (Some(None), _) | (_, None) => return false,
        }
    }
    false
}

fn leading_number(text: &str) -> Option<u32> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text.get(..digits)?.parse().ok()
}

/// Translates an error code of the client. The vendor's list grows, so an unknown one is a failed signature,
/// never a crash.
#[must_use]
pub fn error_code(client_code: &str) -> ErrorCode {
    let code = client_code.to_ascii_lowercase();
    match code.as_str() {
        "user_cancelled" => ErrorCode::UserCancelled,
        "certificate_not_found" | "p11_token_not_found" | "keyset_not_found" | "csp_keyset_not_defined" => {
            ErrorCode::ClientTokenMissing
        }
        "command_unknown" | "command_not_supported" => ErrorCode::ClientOutdated,
        "os_not_supported" => ErrorCode::PlatformUnsupported,
        "algorithm_not_supported" | "csp_invalid_algorithm" => ErrorCode::KeyUnsupported,
        "native_connect_failure" => ErrorCode::ClientNativeMissing,
        "blocked_domain" => ErrorCode::ClientLicence,
        _ if code.starts_with("license_") => ErrorCode::ClientLicence,
        _ if code.starts_with("native_") || code.starts_with("addon_") => ErrorCode::ClientNoResponse,
        _ if code.starts_with("command_") => ErrorCode::ClientProtocol,
        _ => ErrorCode::ClientSignFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_number_by_number() {
        for (installed, required, older) in [
            ("2.13.0", "2.13.0", false),
            ("2.9.1", "2.13.0", true),
            ("2.17.1", "2.13.0", false),
            ("3", "2.13.0", false),
            ("2.13", "2.13.0", true),
            ("2.13.0.1", "2.13.0", false),
            ("2.12.9-beta", "2.13.0", true),
            ("2.13.0-beta", "2.13.0", false),
            ("", "2.13.0", false),
            ("unknown", "2.13.0", false),
            ("2.x", "2.13.0", false),
            ("2.99999999999.0", "2.13.0", false),
        ] {
            assert_eq!(is_older(installed, required), older, "{installed} {required}");
        }
    }

    #[test]
    fn client_codes_become_ours_and_unknown_ones_too() {
        for (client, ours) in [
            ("user_cancelled", ErrorCode::UserCancelled),
            ("User_Cancelled", ErrorCode::UserCancelled),
            ("p11_token_not_found", ErrorCode::ClientTokenMissing),
            ("license_domain_not_allowed", ErrorCode::ClientLicence),
            ("blocked_domain", ErrorCode::ClientLicence),
            ("native_connect_failure", ErrorCode::ClientNativeMissing),
            ("native_disconnected", ErrorCode::ClientNoResponse),
            ("command_parameter_not_set", ErrorCode::ClientProtocol),
            ("command_unknown", ErrorCode::ClientOutdated),
            ("p11_error", ErrorCode::ClientSignFailed),
            ("a_code_of_next_year", ErrorCode::ClientSignFailed),
            ("", ErrorCode::ClientSignFailed),
        ] {
            assert_eq!(error_code(client), ours, "{client}");
        }
    }
}
