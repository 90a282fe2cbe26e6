//! The stand-ins for cloud services (TEST) that run beside a demo, as processes of Node. They end with the demo.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rubrica_core::ErrorCode;
use serde::Deserialize;

use super::DemoFiles;
use crate::config::{CloudService, Config};
use crate::failure::Failure;

/// Script, name of the service, and what its table says beside name, URL and secret.
const SERVICES: [(&str, &str, &str); 2] = [
    ("cloudhub.js", "demo-cloudhub", "kind = \"cloudhub\"\nservice = \"TestCloud\"\napi_key_file"),
    ("psc.js", "demo-psc", "kind = \"psc\"\nclient_id = \"TEST-bank\"\nclient_secret_file"),
];

/// Running stand-ins; they end with the value.
#[derive(Debug, Default)]
pub(crate) struct StandIns(Vec<Child>);

/// What a stand-in prints at its start.
#[derive(Deserialize)]
struct Told {
    url: String,
}

impl StandIns {
    /// Starts those in `folder` and adds them to the services of the configuration. Without the folder or without Node there
    /// are none.
    ///
    /// # Errors
    /// `internal` when a stand-in does not start.
    pub(crate) fn start(files: &DemoFiles, folder: &Path, config: &mut Config) -> Result<Self, Failure> {
        let mut running = Self::default();
        if !folder.is_dir() || !files.cloud().exists() {
            return Ok(running);
        }
        for (script, name, table) in SERVICES {
            let spawned = Command::new("node")
                .arg(folder.join(script))
                .arg("--identities")
                .arg(files.cloud())
                .arg("--secret-file")
                .arg(files.cloud_secret())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn();
            let failed =
                |what: String| Failure::of(ErrorCode::Internal, format!("the stand-in {script}: {what}"));
            let mut process = match spawned {
                Ok(process) => process,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    tracing::warn!("without Node this demo has no cloud services");
                    return Ok(running);
                }
                Err(error) => return Err(failed(error.to_string())),
            };
            let stdout = process.stdout.take().expect("its output is a pipe");
            running.0.push(process);
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map_err(|error| failed(error.to_string()))?;
            let told: Told =
                serde_json::from_str(&line).map_err(|_| failed("it did not start".to_owned()))?;
            let secret = toml::Value::String(files.cloud_secret().display().to_string());
            let table = format!("name = \"{name}\"\nurl = \"{}\"\n{table} = {secret}\n", told.url);
            let service: CloudService = toml::from_str(&table).map_err(|error| failed(error.to_string()))?;
            config.lacuna.services.push(service);
        }
        Ok(running)
    }
}

impl Drop for StandIns {
    fn drop(&mut self) {
        for process in &mut self.0 {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
