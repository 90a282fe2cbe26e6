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
        ("[[clients]]\nname = \"a\"\nkey_sha256 = \"short\"", &[], "64 lower-case hexadecimal"),
        ("[[clients]]\nname = \"a\"\nkey = \"short\"", &[], "unknown field"),
    ] {
        let failure = merged(file, environment).unwrap_err();
        assert_eq!(failure.code(), ErrorCode::ConfigInvalid);
        assert!(failure.what().contains(expected), "{file} gave: {failure}");
    }
}
