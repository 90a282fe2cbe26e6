//! Puts the three sources of the configuration on top of each other.

use std::path::Path;

use rubrica_core::ErrorCode;
use toml::{Table, Value};

use super::invalid;
use crate::failure::Failure;

const DEFAULTS: &str = include_str!("../../config.default.toml");

/// Merges the defaults, `file` and the variables of `environment`.
pub(super) fn merge(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Table, Failure> {
    let mut table: Table = DEFAULTS.parse().expect("the compiled-in defaults are TOML: a test reads them");
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::new(
                ErrorCode::ConfigInvalid,
                format!("cannot read {}: {error}", path.display()),
                "Check the path given with --config",
            )
        })?;
        let over: Table = text.parse().map_err(|error: toml::de::Error| {
            invalid(&format!("{}: {}", path.display(), describe(&error, &text)))
        })?;
        overlay(&mut table, over, "")?;
    }
    for (name, value) in environment {
        set_from_environment(&mut table, &name, &value)?;
    }
    Ok(table)
}

/// Message and line, without the drawing that TOML errors show.
fn describe(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
    format!("line {line}: {}", error.message())
}

fn overlay(base: &mut Table, over: Table, path: &str) -> Result<(), Failure> {
    for (key, value) in over {
        let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        // These hold names that only the operator knows.
        const NAMED: [&str; 5] = [
            "token.environment",
            "custody.tenants",
            "watch.tenants",
            "composer.tenants",
            "pki_express.environment",
        ];
        if name == "clients" || NAMED.contains(&path) {
            base.insert(key, value);
            continue;
        }
        match (base.get_mut(&key), value) {
            (None, _) => return Err(invalid(&format!("unknown key `{name}`"))),
            (Some(Value::Table(inner)), Value::Table(over)) => overlay(inner, over, &name)?,
            (Some(slot), value) => *slot = value,
        }
    }
    Ok(())
}

/// Applies `RUBRICA_<SECTION>_<KEY>`; the type is the one of the default, lists are comma-separated.
fn set_from_environment(table: &mut Table, name: &str, text: &str) -> Result<(), Failure> {
    let Some(rest) = name.strip_prefix("RUBRICA_") else { return Ok(()) };
    // Old and short name, which test runners and PKCS#11 tools share; secrets are read elsewhere.
    let rest = match rest {
        "PKCS11_MODULE" => "TOKEN_MODULE",
        "TOKEN_PIN" | "TSA_PASSWORD" | "TSA_TOKEN" | "STORE_PASSWORD" | "OBJECTS_SECRET_KEY"
        | "SMTP_PASSWORD" => return Ok(()),
        other => other,
    }
    .to_ascii_lowercase();
    let Some((section, key)) = rest.split_once('_') else { return Ok(()) };
    let Some(Value::Table(section_table)) = table.get_mut(section) else { return Ok(()) };
    let Some(slot) = section_table.get_mut(key) else {
        return Err(invalid(&format!("unknown key `{section}.{key}` in the environment variable {name}")));
    };
    let bad = |kind: &str| invalid(&format!("{name} must be {kind}"));
    *slot = match slot {
        Value::String(_) => Value::String(text.to_owned()),
        Value::Integer(_) => Value::Integer(text.parse().map_err(|_| bad("a whole number"))?),
        Value::Boolean(_) => Value::Boolean(text.parse().map_err(|_| bad("true or false"))?),
        Value::Array(items) => {
            let is_of_numbers = matches!(items.first(), Some(Value::Integer(_)));
            let read = |item: &str| match item.parse() {
                Ok(number) if is_of_numbers => Ok(Value::Integer(number)),
                Err(_) if is_of_numbers => Err(bad("whole numbers with commas between")),
                _ => Ok(Value::String(item.to_owned())),
            };
            let items = text.split(',').filter(|item| !item.is_empty()).map(read);
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Table(_) | Value::Float(_) | Value::Datetime(_) => return Err(bad("set in the file")),
    };
    Ok(())
}
