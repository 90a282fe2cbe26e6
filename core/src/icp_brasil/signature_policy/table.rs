//! The approved policies, from new to old in each family.
//!
//! Identifiers, hashes and periods were computed from the published policy files; where a file was not
//! at hand the period is open on that side.

use super::Family::{Cades, Pades};
use super::Profile::{Ra, Rb, Rc, Rt, Rv};
use super::{Algorithms, Family, Profile, SignaturePolicy};
use crate::Timestamp;

/// Every policy with SHA-256: CAdES from version 2.0 on, PAdES all. The ones before use SHA-1.
#[rustfmt::skip]
pub const ALL: &[SignaturePolicy] = &[
    row(Cades, Rb, "2.4", "2.16.76.1.7.1.1.2.4", "1f3c904c44c392feef447e21faa7a04e85d9c0153346320f557b7042af5dcf13").from((2025, 6, 12)).until((2037, 10, 22)),
    row(Cades, Rt, "2.4", "2.16.76.1.7.1.2.2.4", "fa59dca6d9c0e808eb7397b2de800cce5b0e4da2c42e2e5ef2496a2ce6badcb7").from((2025, 6, 12)).until((2037, 10, 22)),
    row(Cades, Rv, "2.4", "2.16.76.1.7.1.3.2.4", "ac8d3299189a58f88ec938d1b5918f65bd9d1b22e1d1a32b998f3fdf07ec3342").from((2025, 6, 12)).until((2037, 10, 22)),
    row(Cades, Rc, "2.4", "2.16.76.1.7.1.4.2.4", "ab0dd337580f7ccd6244e30f2a29f2e97614ad411838a0a1179d479504f5522b").from((2025, 6, 12)).until((2037, 10, 22)),
    row(Cades, Ra, "2.5", "2.16.76.1.7.1.5.2.5", "0531ee338acb53364c8b316a11d90423ee33e714cb365d9c4562b90fa47d9099").from((2025, 6, 12)).until((2037, 10, 22)),
    row(Pades, Rb, "1.3", "2.16.76.1.7.1.11.1.3", "23e4be4b9b362172e4ebb0e72b86a133ece5aad843d8651c6e38a0ba3f08fc60").from((2025, 7, 23)).until((2037, 10, 22)),
    row(Pades, Rt, "1.3", "2.16.76.1.7.1.12.1.3", "21d6e8d9f85e5626dc71307337a7cabd6ffef8d085038746775cf0ce6ba4d3b5").from((2025, 7, 23)).until((2037, 10, 22)),
    row(Pades, Rc, "1.4", "2.16.76.1.7.1.13.1.4", "712f18a9f0163c1e90da6ff0b7165543378a18a0f06d3cb21668067cac229bd2").from((2025, 7, 23)).until((2037, 10, 22)),
    row(Pades, Ra, "1.4", "2.16.76.1.7.1.14.1.4", "ffa9fd474812f6ce63d625679c9ef235a6547b017be941b2c094aa868e67e123").from((2025, 7, 23)).until((2037, 10, 22)),
    row(Cades, Rb, "2.3", "2.16.76.1.7.1.1.2.3", "b16e88bbf77322a67995b79078778ed3d0ea7c88587b6f6d518b715e8f76a3d5").from((2018, 5, 14)).until((2029, 3, 2)).rsa_only(),
    row(Cades, Rb, "2.2", "2.16.76.1.7.1.1.2.2", "0f6fa2c6281981716c95c79899039844523b1c61c2c962289cdac7811feee29e").from((2016, 4, 27)).until((2029, 3, 2)).rsa_only(),
    row(Cades, Rb, "2.1", "2.16.76.1.7.1.1.2.1", "dd57c98a4313bc1398ce6543d3802458957cf716ae3294ec4d8c26251291e6c1").from((2012, 3, 7)).until((2023, 6, 21)).revoked((2017, 2, 26)).rsa_only(),
    row(Cades, Rb, "2.0", "2.16.76.1.7.1.1.2", "5311e6ce55665c87f6085ef11c82fa3fb1341cade7981ed9f51d3e56de5f6aad").revoked((2012, 3, 23)).rsa_only(),
    row(Cades, Rt, "2.3", "2.16.76.1.7.1.2.2.3", "80dfe81e2a8ae762cd360253722922332ee10164d992156d847c47c8fb879cd2").from((2018, 5, 14)).until((2029, 3, 2)).rsa_only(),
    row(Cades, Rt, "2.2", "2.16.76.1.7.1.2.2.2", "2fc28c6155a0574558d92c674d47158cdadb1144eaaeafda1cd76dba967a6774").from((2016, 4, 27)).until((2029, 3, 2)).rsa_only(),
    row(Cades, Rt, "2.1", "2.16.76.1.7.1.2.2.1", "217d8e68b5dafca6bc72fe610e3ec9f9cb9f7d75b099091c24106f48a6527a0f").until((2023, 6, 21)).rsa_only(),
    row(Cades, Rv, "2.3", "2.16.76.1.7.1.3.2.3", "08ab9799a528e211478ef5003e4cec9c337ca82838de1d6a7372c8789934ad4b").from((2018, 5, 14)).until((2029, 3, 2)).rsa_only(),
    row(Cades, Rv, "2.2", "2.16.76.1.7.1.3.2.2", "ff2727cea8785691c60676ce240c7bf79e1586b3751d2d30cbe13601b796c69b").from((2016, 4, 27)).until((2029, 3, 2)).rsa_only(),
    row(Cades, Rc, "2.3", "2.16.76.1.7.1.4.2.3", "2106ea59ccc2d314e5b7f1c75506a03f3b90bd5eb636b48075d6b60e7489bf18").from((2018, 5, 14)).until((2029, 3, 2)).rsa_only(),
    row(Cades, Rc, "2.2", "2.16.76.1.7.1.4.2.2", "93dde2288c02c4d7b674402871b4328272d4bbc791dbffb5bd6061d812cfe609").from((2016, 4, 27)).until((2029, 3, 2)).rsa_only(),
    row(Cades, Ra, "2.4", "2.16.76.1.7.1.5.2.4", "e21a476b65eb647ad4056b7de3d3513a8b14f6a8de676d681fa362066eb0b628").from((2018, 5, 14)).until((2029, 3, 2)).rsa_only(),
    row(Cades, Ra, "2.3", "2.16.76.1.7.1.5.2.3", "3a339c7ec1d47eac0d04b4d06377d4fd5b417b367e57890c3e890475922f2669").from((2016, 4, 27)).until((2029, 3, 2)).rsa_only(),
    row(Pades, Rb, "1.2", "2.16.76.1.7.1.11.1.2", "bf22358c963b52971f18c822d8529c5163fe55fa8eed1068d327adc6bc082ee2").from((2025, 6, 12)).replaced((2025, 7, 23)),
    row(Pades, Rb, "1.1", "2.16.76.1.7.1.11.1.1", "44fc5816eb2d705d8c8f022a7f93b3fb49edfae1a7b9149ef6fab833e9bb63f8").from((2018, 5, 14)).until((2029, 3, 2)).rsa_only(),
    row(Pades, Rb, "1.0", "2.16.76.1.7.1.11.1", "501d69b4b71fc6e57323c2c74131a9c8c62409be378ba788dc288555611b9e58").from((2015, 8, 25)).until((2029, 3, 2)).rsa_only(),
    row(Pades, Rt, "1.2", "2.16.76.1.7.1.12.1.2", "19e0be31d91a6ffa694bbe0e9b35e4bc2f877f62dc6ac7a7833ada6345e15af8").replaced((2025, 7, 23)),
    row(Pades, Rt, "1.1", "2.16.76.1.7.1.12.1.1", "fa1d44e76ad91e2f6cd471b6987e9c0f1c70d4b70da0956e7becf4dc792c0c1f").from((2018, 5, 14)).until((2029, 3, 2)).rsa_only(),
    row(Pades, Rt, "1.0", "2.16.76.1.7.1.12.1", "cefbba0147077bd216eb04d2b25c56c3d4ac60dbbe08cdd697d2dcd0029b56e8").from((2015, 8, 25)).until((2029, 3, 2)).rsa_only(),
    row(Pades, Rc, "1.3", "2.16.76.1.7.1.13.1.3", "235488859f7ada5d4984c364cc1c8eee4673fb7c70ff8b19dd236a86f3d87cc2").replaced((2025, 7, 23)),
    row(Pades, Rc, "1.2", "2.16.76.1.7.1.13.1.2", "9f743696b821e535252c17df754cd9379fd2d3b6870179248c64a5c80604399d").from((2018, 5, 14)).until((2029, 3, 2)).rsa_only(),
    row(Pades, Rc, "1.1", "2.16.76.1.7.1.13.1.1", "3fe5e1eeea9f6723568dc9e2c313c0e19c817faa923ab29b52ea76d1fb53027c").from((2016, 7, 15)).until((2029, 3, 2)).rsa_only(),
    row(Pades, Rc, "1.0", "2.16.76.1.7.1.13.1", "b3d8a9ef6b475a8cd62f07b3edb8b0bd974dd15a165eeb197bd987d7591e0fee").revoked((2016, 7, 15)).rsa_only(),
    row(Pades, Ra, "1.3", "2.16.76.1.7.1.14.1.3", "542600efaa7cac8e1db8cee572ef275f6157de27cf5e2fd75466ae2dcf8fab04").replaced((2025, 7, 23)),
    row(Pades, Ra, "1.2", "2.16.76.1.7.1.14.1.2", "1f1b8e74be9626bc1702d40ce1c126eb1c9caf7bade6b1fd779c8f60e733dd7c").from((2018, 5, 14)).until((2029, 3, 2)).rsa_only(),
    row(Pades, Ra, "1.1", "2.16.76.1.7.1.14.1.1", "2ac50c5be4ccdde5c240a4a304f7021642841642aa0ed8b403e6c518dd9d81b6").from((2016, 7, 15)).until((2029, 3, 2)).rsa_only(),
    row(Pades, Ra, "1.0", "2.16.76.1.7.1.14.1", "6d1dd552117d1de402f515f9f77ef9d30b2162995f93a2290c134c9c24387bdf").revoked((2016, 7, 15)).rsa_only(),
];

/// Year, month and day.
type Day = (u16, u8, u8);

const fn row(
    family: Family,
    profile: Profile,
    version: &'static str,
    oid: &'static str,
    hash: &str,
) -> SignaturePolicy {
    SignaturePolicy {
        family,
        profile,
        version,
        oid,
        hash: sha256(hash),
        from: None,
        until: None,
        revoked: None,
        replaced: None,
        algorithms: Algorithms::RsaEcdsaEddsa,
    }
}

impl SignaturePolicy {
    const fn from(mut self, day: Day) -> Self {
        self.from = Some(start_of(day, 0));
        self
    }

    const fn until(mut self, day: Day) -> Self {
        self.until = Some(start_of(day, MS_PER_DAY - 1));
        self
    }

    const fn revoked(mut self, day: Day) -> Self {
        self.revoked = Some(start_of(day, 0));
        self
    }

    const fn replaced(mut self, day: Day) -> Self {
        self.replaced = Some(start_of(day, 0));
        self
    }

    const fn rsa_only(mut self) -> Self {
        self.algorithms = Algorithms::Rsa;
        self
    }
}

const MS_PER_DAY: u64 = 24 * 60 * 60 * 1000;

/// Midnight UTC of a day after 1970, and some milliseconds.
const fn start_of((year, month, day): Day, plus_ms: u64) -> Timestamp {
    // Days before the month in a year that starts in March, so that the leap day comes last.
    let (year, month) =
        if month > 2 { (year as u64, month as u64 - 3) } else { (year as u64 - 1, month as u64 + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day as u64 - 1;
    const UNIX_EPOCH: u64 = 719_468;
    match Timestamp::from_unix_ms((days - UNIX_EPOCH) * MS_PER_DAY + plus_ms) {
        Ok(time) => time,
        Err(_) => panic!("a day before the year 10000"),
    }
}

const fn sha256(hex: &str) -> [u8; 32] {
    let hex = hex.as_bytes();
    assert!(hex.len() == 64, "64 hexadecimal digits");
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 32 {
        bytes[at] = nibble(hex[2 * at]) << 4 | nibble(hex[2 * at + 1]);
        at += 1;
    }
    bytes
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => panic!("a lower-case hexadecimal digit"),
    }
}
