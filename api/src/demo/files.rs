//! Files of a demo data folder, besides those of every data folder.
//!
//! ```text
//! rubrica.toml               the instance's configuration, for the other commands
//! softhsm/softhsm2.conf      where the token lies
//! softhsm/tokens/            the token
//! secrets/token-pin          its PIN
//! secrets/token-label        its label, unique to this folder
//! secrets/portal-api-key     API key of the demo portal
//! pki/root.pem               the demo root: `rubrica verify --trust`
//! pki/intermediates.pem
//! pki/simulator.json         identities of the Web PKI simulator
//! pki/cloud.json             identities of the stand-ins for cloud services
//! secrets/cloud-stand-in     what their callers show them
//! pki/authorities.json       keys of the authorities, which publish while the demo runs
//! pki/revoked                serial numbers that their lists hold, one a line, hexadecimal; need not be there
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::pki::REPOSITORY_HOST;
use crate::adapters::pkcs11::find_module;
use crate::adapters::pkcs11::provision::Place;
use crate::config::Config;
use crate::data_folder::{self, unwritable};
use crate::failure::Failure;
use crate::hex;
use crate::objects::sha256;
use crate::secret::Secret;

/// Name of the demo portal among the clients.
pub(crate) const PORTAL: &str = "demo-portal";

/// Paths below a demo folder.
#[derive(Debug, Clone)]
pub(crate) struct DemoFiles {
    root: PathBuf,
}

impl DemoFiles {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.root.join("rubrica.toml")
    }

    pub(crate) fn softhsm_conf(&self) -> PathBuf {
        self.root.join("softhsm/softhsm2.conf")
    }

    fn pin(&self) -> PathBuf {
        self.root.join("secrets/token-pin")
    }

    fn label(&self) -> PathBuf {
        self.root.join("secrets/token-label")
    }

    fn portal_key(&self) -> PathBuf {
        self.root.join("secrets/portal-api-key")
    }

    pub(super) fn root_pem(&self) -> PathBuf {
        self.root.join("pki/root.pem")
    }

    pub(super) fn intermediates_pem(&self) -> PathBuf {
        self.root.join("pki/intermediates.pem")
    }

    pub(super) fn simulator(&self) -> PathBuf {
        self.root.join("pki/simulator.json")
    }

    pub(super) fn cloud(&self) -> PathBuf {
        self.root.join("pki/cloud.json")
    }

    pub(super) fn cloud_secret(&self) -> PathBuf {
        self.root.join("secrets/cloud-stand-in")
    }

    pub(super) fn authorities(&self) -> PathBuf {
        self.root.join("pki/authorities.json")
    }

    pub(super) fn revoked(&self) -> PathBuf {
        self.root.join("pki/revoked")
    }

    /// Makes folders and secrets of a new demo.
    pub(super) fn create(&self) -> Result<(), Failure> {
        let create = || {
            for folder in ["softhsm", "softhsm/tokens", "pki"] {
                data_folder::create_private_dir(&self.root.join(folder))?;
            }
            let secret =
                |path: &Path, text: String| data_folder::write_private(path, format!("{text}\n").as_bytes());
            secret(&self.pin(), hex::encode(crate::random::bytes::<12>()))?;
            secret(&self.label(), format!("rubrica-demo-{}", hex::encode(crate::random::bytes::<4>())))?;
            secret(&self.cloud_secret(), hex::encode(crate::random::bytes::<16>()))?;
            secret(&self.portal_key(), format!("rak_{}", hex::encode(crate::random::bytes::<32>())))
        };
        create().map_err(|error| unwritable(&self.root, &error))?;
        self.refresh(&self.root, USUAL_PORT)
    }

    /// Lets an instance read what the authorities of a demo on `port` of this machine publish.
    pub(crate) fn reach_authorities(&self, config: &mut Config, port: u16) {
        if self.authorities().exists() {
            config.fetch.mirrors = vec![mirror(port)];
            config.tsa.url = time_stamps_url(port);
        }
    }

    /// Writes the files that hold absolute paths or the port, when they do not fit `place`: the folder may have been moved.
    pub(crate) fn refresh(&self, place: &Path, port: u16) -> Result<(), Failure> {
        let refresh = || {
            let conf = format!(
                "# Written by rubrica at each start.\ndirectories.tokendir = {}\nobjectstore.backend = file\n\
                 log.level = ERROR\nslots.removable = false\n",
                place.join("softhsm/tokens").display()
            );
            write_if_changed(&self.softhsm_conf(), &conf)?;
            write_if_changed(&self.config(), &self.config_text(place, port)?)
        };
        refresh().map_err(|error| unwritable(&self.root, &error))
    }

    /// What the PKCS#11 adapter has to know.
    pub(super) fn token_settings(&self) -> Result<Place, Failure> {
        let pin = Secret::from_file(&self.pin())?;
        let label = Secret::from_file(&self.label())?.expose().to_owned();
        Ok(Place { module: find_module(&module_from_environment())?, label, serial: String::new(), pin })
    }

    fn config_text(&self, place: &Path, port: u16) -> io::Result<String> {
        let read = |path: PathBuf| Ok::<_, io::Error>(fs::read_to_string(path)?.trim().to_owned());
        let (label, api_key) = (read(self.label())?, read(self.portal_key())?);
        let conf = place.join("softhsm/softhsm2.conf");
        let conf = toml::Value::String(conf.display().to_string());
        let key_hash = hex::encode(sha256(api_key.as_bytes()));
        Ok(format!(
            "# Written by rubrica at each start of the demo; changes are lost.\n\n\
             [data]\nfolder = \".\"\n\n\
             [token]\nlabel = \"{label}\"\npin_file = \"secrets/token-pin\"\n\n\
             [token.environment]\nSOFTHSM2_CONF = {conf}\n\n\
             [custody]\nbasis = \"accredited\"\noffers = [\"hsm_generate\", \"hsm_import\", \"local\"]\n\n\
             [trust]\nicp_brasil = false\nanchors = [\"pki/root.pem\"]\nintermediates = [\"pki/intermediates.pem\"]\n\n\
             [fetch]\nmirrors = [\"{}\"]\n\n\
             [tsa]\nurl = \"{}\"\n\n\
             [[clients]]\nname = \"{PORTAL}\"\nkey_sha256 = \"{key_hash}\"\n",
            mirror(port),
            time_stamps_url(port),
        ))
    }
}

fn mirror(port: u16) -> String {
    format!("{REPOSITORY_HOST}=127.0.0.1:{port}")
}

fn time_stamps_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/act")
}

/// Port of a demo that was not told another.
pub(crate) const USUAL_PORT: u16 = 8080;

/// Label of the key that health checks sign with.
pub(super) const CANARY_LABEL: &str = "rubrica-canary";

fn module_from_environment() -> PathBuf {
    ["RUBRICA_PKCS11_MODULE", "RUBRICA_TOKEN_MODULE"]
        .iter()
        .find_map(std::env::var_os)
        .unwrap_or_default()
        .into()
}

fn write_if_changed(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let folder = path.parent().expect("a file of the demo lies in a folder");
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
