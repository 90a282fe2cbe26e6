use rubrica_core::custody::Basis;
use rubrica_core::wire::CustodyOffer;

use super::*;

fn merged(file: &str, environment: &[(&str, &str)]) -> Result<Config, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rubrica.toml");
    std::fs::write(&path, file).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let config: Config = source::merge(Some(&path), environment)?
        .try_into()
        .map_err(|error: toml::de::Error| invalid(error.message()))?;
    config.check()?;
    Ok(config)
}

#[test]
fn the_defaults_are_complete_and_valid() {
    let config = merged("", &[]).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert!(!config.token.is_configured());
    assert!(config.to_toml().contains("document_bytes = 104857600"));
}

#[test]
fn the_environment_beats_the_file_and_the_file_beats_the_defaults() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\n[limits]\njson_bytes = 5\n";
    let config =
        merged(file, &[("RUBRICA_SERVER_LISTEN", "127.0.0.1:2"), ("RUBRICA_TRUST_ANCHORS", "a,b")]).unwrap();
    assert_eq!(config.server.listen.port(), 2);
    assert_eq!(config.limits.json_bytes, 5);
    assert_eq!(config.trust.anchors, [PathBuf::from("a"), PathBuf::from("b")]);
}

#[test]
fn unknown_keys_and_bad_values_stop_the_start() {
    for (file, environment, expected) in [
        ("[sever]\nlisten = \"\"", &[][..], "unknown key `sever`"),
        ("[server]\nlisen = \"\"", &[], "unknown key `server.lisen`"),
        ("[server]\nlisten = \"nowhere\"", &[], "invalid socket address syntax"),
        ("[server\n", &[], "line 1"),
        ("", &[("RUBRICA_SERVER_LISEN", "x")], "unknown key `server.lisen`"),
        ("", &[("RUBRICA_LIMITS_JSON_BYTES", "many")], "must be a whole number"),
        ("[sessions]\ndefault_seconds = 5", &[], "60 to 3600"),
        (
            "[custody]\noffers = []\npreselected = \"local\"",
            &[],
            "custody: preselected must be one of offers",
        ),
        ("[custody]\nsources = [\"local\"]", &[], "custody: sources are `hsm` and `lacuna`"),
        ("[custody]\nown_companies = [\"11222333000180\"]", &[], "check digits"),
        ("[custody]\nbasis = \"any\"", &[], "unknown variant `any`"),
        ("[custody.tenants.bank]\nhsm_timeout_ms = 1", &[], "custody.tenants.bank: hsm_timeout_ms must be"),
        ("[custody.tenants.bank]\ncache_seconds = 1", &[], "unknown field"),
        ("[watch]\noperators = [\"ops@bank.example\"]", &[], "name a mail server in smtp.host"),
        ("[watch]\nholder_days = [29]", &[], "watch: holder_days are of 90"),
        ("[watch]\nrenewal_url = \"http://bank.example\"", &[], "an https URL"),
        ("[watch]\nendpoints = [\"bank.example\"]", &[], "`host:port`"),
        (
            "[watch.tenants.bank]\noperators = [\"a@b\\r\\nBcc: c@d\"]",
            &[],
            "watch.tenants.bank: operators are",
        ),
        ("[watch.tenants.bank]\nevery_seconds = 1", &[], "unknown field"),
        ("[smtp]\nhost = \"mail\"", &[], "smtp.from must be"),
        ("[smtp]\ntls = \"disable\"\nuser = \"u\"", &[], "not sent in plain text"),
        ("[[clients]]\nname = \"a\"\nkey_sha256 = \"short\"", &[], "64 lower-case hexadecimal"),
        ("[[clients]]\nname = \"a\"\nkey = \"short\"", &[], "unknown field"),
    ] {
        let failure = merged(file, environment).unwrap_err();
        assert_eq!(failure.code(), ErrorCode::ConfigInvalid);
        assert!(failure.what().contains(expected), "{file} gave: {failure}");
    }
}

#[test]
fn a_tenant_has_the_rules_of_all_but_where_it_has_its_own() {
    let file = "[custody]\nhsm_timeout_ms = 70\n\n[custody.tenants.bank]\nbasis = \"private_ca\"\n\
                offers = [\"hsm_generate\", \"local\"]\npreselected = \"local\"\nsources = [\"hsm\"]\n";
    let config = merged(file, &[("RUBRICA_CUSTODY_LACUNA_TIMEOUT_MS", "80")]).unwrap();
    let (bank, other) = (config.custody.rules("bank"), config.custody.rules("other"));
    assert_eq!((bank.basis, other.basis), (Basis::PrivateCa, Basis::Company));
    assert_eq!(bank.offers, [CustodyOffer::HsmGenerate, CustodyOffer::Local]);
    assert_eq!(other.offers, [CustodyOffer::Local]);
    assert_eq!((bank.preselected, other.preselected), (Some(CustodyOffer::Local), None));
    assert_eq!((bank.hsm_limit_ms, bank.lacuna_limit_ms), (Some(70), None));
    assert_eq!((other.hsm_limit_ms, other.lacuna_limit_ms), (Some(70), Some(80)));
    let again: Config = toml::from_str(&config.to_toml()).unwrap();
    assert_eq!(again.custody.rules("bank"), bank);
}

#[test]
fn the_watch_of_a_tenant_is_that_of_all_but_where_it_has_its_own() {
    let file = "[smtp]\nhost = \"mail.bank.example\"\nfrom = \"Bank <sign@bank.example>\"\n\
                [watch.tenants.bank]\noperators = [\"ops@bank.example\"]\nlanguage = \"en\"\n";
    let config = merged(file, &[("RUBRICA_WATCH_OPERATORS", "all@bank.example")]).unwrap();
    let (bank, other) = (config.watch.audience(Some("bank")), config.watch.audience(Some("other")));
    assert_eq!(
        (bank.operators, other.operators),
        (&["ops@bank.example".into()][..], &["all@bank.example".into()][..])
    );
    assert_eq!((bank.language, other.language), (Language::En, Language::PtBr));
    assert_eq!(
        (bank.holder_days, config.watch.audience(None).operators),
        (&[30, 7, 1, 0][..], other.operators)
    );
    let again: Config = toml::from_str(&config.to_toml()).unwrap();
    assert_eq!(again.watch.audience(Some("bank")).operators, bank.operators);
}

#[test]
fn an_endpoint_is_a_host_and_a_port() {
    assert_eq!(host_and_port("sign.bank.example:443"), Some(("sign.bank.example", 443)));
    assert_eq!(host_and_port("[::1]:8443"), Some(("::1", 8443)));
    for bad in ["", "a", ":1", "a:", "a:0", "a:99999", "https://a:1", "a b:1"] {
        assert_eq!(host_and_port(bad), None, "{bad}");
    }
}
